"""Become another program that ends with its parent, and, where asked, under another account.

Run as a script, isolated and without site packages (`python -I -S launch.py PARENT SIGNAL ACCOUNT /PROGRAM …`):
it starts in some 15 ms and, other than a function between fork and exec, is safe in a process that has threads.
ACCOUNT is `same`, `namespace` (ourselves outside, another user inside a user namespace of its own) or `UID:GID`.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1

# Exit status for "the system refuses this account", told apart from whatever the program itself returns.
REFUSED = 97


def enter_namespace() -> None:
    """Become user 1 inside a new user namespace, while outside, and so to our files, we stay who we are."""
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"1 {uid} 1"), ("gid_map", f"1 {gid} 1")):
        Path(f"/proc/self/{name}").write_text(text)
    if os.geteuid() != 1:
        raise OSError("the user namespace did not take the mapping")


def become(account: str) -> None:
    """Take the account: `same`, `namespace`, or `UID:GID`."""
    if account == "same":
        return
    if account == "namespace":
        enter_namespace()
        return
    uid, gid = (int(part) for part in account.split(":"))
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def end_with_parent(parent: int, number: int) -> None:
    """Ask the kernel for this signal when the parent ends (Linux; elsewhere the parent has to see to it)."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        # It died before we had asked. (0 is a parent outside our pid namespace, which can't be compared.)
        sys.exit(1)


def main(arguments: list[str]) -> None:
    """Prepare and exec; return never."""
    parent, number, account, *command = arguments
    try:
        become(account)
    except OSError as error:
        print(f"cannot run as {account}: {error}", file=sys.stderr)
        sys.exit(REFUSED)
    # After the account: a change of credentials clears the wish.
    end_with_parent(int(parent), int(number))
    try:
        # Not execvp: it imports more modules, which the new account may be unable to read.
        os.execv(command[0], command)  # noqa: S606 - no shell is the point
    except OSError as error:
        print(f"cannot start {command[0]}: {error}", file=sys.stderr)
        sys.exit(126)


if __name__ == "__main__":
    main(sys.argv[1:])
