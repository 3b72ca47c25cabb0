"""Telling people that something has happened: a line in their inbox, a mail, or both, as they prefer it.

`kinds`    what people can be told of: each floor declares its own when it starts
`telling`  `tell()`: writes rows in the transaction of what they tell of
`mailing`  sends the mails of rows that wait for it; a row is the outbox
`models`   the rows
"""
