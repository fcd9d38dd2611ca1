# SPDX-License-Identifier: Apache-2.0
"""`python -m a2q_hls` is `a2q-hls`."""

from a2q_hls.cli import main

if __name__ == "__main__":
    main()
