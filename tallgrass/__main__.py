"""``python -m tallgrass``: the same as the command ``tallgrass``."""

import sys

from tallgrass.cli import main

if __name__ == "__main__":
    sys.exit(main())
