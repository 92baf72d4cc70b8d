"""Start the command line: python -m studies."""

import sys

from studies.command_line.main import main

if __name__ == "__main__":
    sys.exit(main())
