"""What holds for all tests of a process."""

import os
import secrets

# Ray reads these once, at its first use in a process; joining the tests' cluster needs them, and
# whichever test comes first must not settle it otherwise. Its own token leaves the user's alone.
os.environ.setdefault("RAY_AUTH_MODE", "token")
os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
