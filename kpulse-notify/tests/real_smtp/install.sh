#!/usr/bin/env bash
# Puts aiosmtpd, a mail server that is not ours, into a Python of its own under target/. Fails, and says why, where it cannot.
set -euo pipefail
cd "$(dirname "$0")/../../.."
venv="${CARGO_TARGET_DIR:-target}/mail-venv"
if "$venv/bin/python" -c 'import aiosmtpd' 2>/dev/null; then
  echo "aiosmtpd is there"
  exit 0
fi
command -v python3 >/dev/null || { echo "no python3: no mail server but our own" >&2; exit 1; }
python3 -m venv "$venv" || { echo "python3 cannot make a venv: no mail server but our own" >&2; exit 1; }
"$venv/bin/pip" install --quiet --disable-pip-version-check --timeout 15 --retries 1 'aiosmtpd==1.4.6' ||
  { echo "aiosmtpd cannot be installed: no mail server but our own" >&2; exit 1; }
