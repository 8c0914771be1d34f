"""What holds for all tests of a process."""

import os
import secrets
import signal

from hypothesis import settings

# Ray reads these once, at its first use in a process; joining the tests' cluster needs them, and
# whichever test comes first must not settle it otherwise. Its own token leaves the user's alone.
os.environ.setdefault("RAY_AUTH_MODE", "token")
os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))

# how long an example takes is the machine's business, not a test's
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# a shell lets what it starts in the background ignore Ctrl-C, which tests of Ctrl-C then wait for
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
