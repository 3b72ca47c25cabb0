"""The engine: which shops are eligible, and what each partner is paid for them (DESIGN 3).

Read in this order: `conditions.py` (the eight rules), `facts.sql` (what they are asked of), `judge.sql`,
`price.sql`, `steps.py` (the statements in their order), `reach.py` and `held.py` (how a run goes on from an earlier
one), `queue.py` (who does which piece), `run.py`.
"""
