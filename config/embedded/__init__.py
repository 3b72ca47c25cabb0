"""PostgreSQL and Valkey as child processes, for a machine that has neither: the demo, development and the tests.

They listen on Unix sockets in a private folder only, and end with the process that started them, however it ends.
"""

from config.embedded.account import Account, server_account
from config.embedded.child import Child, EmbeddedError
from config.embedded.postgres import EmbeddedPostgres
from config.embedded.valkey import EmbeddedValkey

__all__ = ["Account", "Child", "EmbeddedError", "EmbeddedPostgres", "EmbeddedValkey", "server_account"]
