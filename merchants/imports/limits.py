"""What a feed's file may ask of the reader at most: past these bounds it is no feed, or an attack.

Each holds one thing in memory, and none is near what real feeds need: so a refusal comes after little reading, and the
memory stays flat however long the file is.
"""

KIB, MIB = 1024, 1024 * 1024

LONGEST_LINE = 64 * KIB  # bytes of one physical line; a feed's row has hundreds
LONGEST_RECORD = 64 * KIB  # characters of one row, over however many lines its quoted cells go
LONGEST_GAP = 2 * MIB  # characters of nothing but blank lines
# PostgreSQL keeps a row's short cells (up to 23 bytes) in its 8 KiB page: more columns than these may not fit.
MOST_COLUMNS = 300
MOST_CELLS = 2 * MOST_COLUMNS  # of one row: whatever the header says, a row with more is not kept as a bad one
LARGEST_BLOCK = 4 * MIB  # characters handed on at a time
LARGEST_INSERT = MIB  # characters of bad rows written at a time; as JSON one may take six bytes
CHEAP_TO_HASH = 16 * MIB  # bytes of a refused file that are read on, just for its fingerprint

# Workbooks. A sheet's own limits are those of the format.
MOST_ROWS = 1_048_576
LONGEST_CELL = 32_767
MOST_STYLES = 65_536
MOST_TEXTS = 10_000_000  # different ones: eight bytes of memory each
LARGEST_DIRECTORY = MIB  # bytes of the zip file's own list of its parts; a workbook has tens of parts
LARGEST_FRAME = 4 * MIB  # bytes of a part that only says which sheets there are and where
LARGEST_STYLES = 16 * MIB
MOST_ELEMENTS = 1_000_000  # XML elements of such a part, and elements of a large part that say nothing to us
MOST_IN_CELL = 10_000  # XML elements of one text: it may change its font in the middle, but not at every letter
LONGEST_TOKEN = MIB  # bytes of one XML tag or comment: the parser holds it as a whole
DEEPEST = 40  # levels of XML elements
MOST_NAMES = 2000  # different names of XML elements and attributes: the parser never forgets one
