"""A lender that tries something out: its policy, which is put into the built layer as a commit of it would be."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.local import ROOT

LENDER = "demo-lots"
HOLDOUT, WORDINGS = "quiet", "tone"
SALT, SHARE_HELD_OUT = "a salt for the holdout", 0.4
CURT = "curt"
"""The wording beside the usual one."""

CURT_WORDS = "繳清"
"""What only the curt text says."""

_COMPILE = ROOT / "layers" / "dunning" / "compile_policies.py"

_POLICY = f"""
id = "{LENDER}"
languages = ["zh-Hant"]
ladder = [0, 7]
min_days_between_stages = 3
preferred_hour = "10:00"
max_segments = 2
hotline = "0800-000-123"

[sender_name]
zh-Hant = "示範分期"

[pay]
zh-Hant = "官方APP"

[[caps]]
at_most = 1
within = "24h"
scope = "person"

[countries.TW]
origination_number = "+886900000100"
max_price = "0.20"

[[trials]]
id = "{HOLDOUT}"
layer = "holdout"
arms = {{ text = {1 - SHARE_HELD_OUT}, silence = {SHARE_HELD_OUT} }}
stages = [0]
places = ["TW"]
goal_days = 1
starts_on = 2026-12-01
ends_on = 2027-03-31
salt = "{SALT}"
approved_by = "nobody: all of this is made up"
approved_on = 2026-11-30

[[trials]]
id = "{WORDINGS}"
layer = "text"
arms = {{ usual = 0.5, {CURT} = 0.5 }}
stages = [0]
places = ["TW"]
goal_days = 1
starts_on = 2026-12-01
ends_on = 2027-03-31
salt = "a salt for the wordings"
approved_by = "nobody: all of this is made up"
approved_on = 2026-11-30
"""

_TO_PAY = f"請用{{pay}}{CURT_WORDS}，已繳請忽略，客服{{hotline}}"

_TEXTS = f"""
language = "zh-Hant"

[today-curt]
stage = 0
version = 1
variant = "{CURT}"
single = "{{name}}您好，末碼{{tail}}分期款{{amount}}，今天{{date}}到期，{_TO_PAY}"
several = "{{name}}您好，{{count}}期分期款（末碼{{tail}}）共{{amount}}，首期今天{{date}}到期，{_TO_PAY}"
"""


def put_into(layer: Path) -> None:
    """Write the lender's files into a built layer, and compile its policies anew with the program that builds use."""
    policy = layer / "python" / "dunning" / "policy"
    texts = policy / "data" / "lenders" / LENDER / "texts"
    texts.mkdir(parents=True)
    (policy / "data" / "lenders" / f"{LENDER}.toml").write_text(_POLICY, "utf-8")
    (texts / "zh-Hant.toml").write_text(_TEXTS, "utf-8")
    shutil.rmtree(policy / "compiled")
    subprocess.run(  # noqa: S603 - a program of ours
        [sys.executable, "-B", str(_COMPILE)],
        env={"PATH": os.defpath, "PYTHONHASHSEED": "0", "PYTHONPATH": str(layer / "python")},
        check=True,
        timeout=60,
    )
