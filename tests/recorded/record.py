"""Write the recorded answers of the rehearsal exchange anew.

    python tests/recorded/record.py

Read the difference before committing it: what changed is what clients are told.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.recorded_answers import FILE, answers, written

if __name__ == "__main__":
    FILE.write_text(written(answers()), encoding="utf-8")
    sys.stdout.write(f"{FILE.name}: written\n")
