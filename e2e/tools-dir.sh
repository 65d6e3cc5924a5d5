#!/bin/sh
# Prints the folder that e2e-deps.sh builds tools into.
echo "${XDG_CACHE_HOME:-$HOME/.cache}/svcconn-e2e/bin"
