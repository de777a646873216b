#!/bin/sh
# The README's lines on the command `xynergy`, in an empty folder. tests/cli runs them.
set -e
# region: command_line
xynergy demo --store sqlite:demo.sqlite     # the closed loop: tables, and closed_loop.html
xynergy ask "Why did my budget change?"     # without keys the sandbox answers

export DATABASE_URL=sqlite:demo.sqlite      # your service's store; or --config FILE
xynergy changes --status blocked            # what was held back, and why; `changes show ID` has its history
xynergy kill on --account act_1001          # no worker sends anything of this account until `kill off`
xynergy kill off --account act_1001
xynergy changes --needs-human               # what reading could not tell: `changes resolve ID applied --note TEXT`
xynergy verify-audit                        # exit code 1, and the row, when any was altered
xynergy health --json                       # exit code 1 unless everything answers
# endregion: command_line
