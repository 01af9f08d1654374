#!/bin/sh
echo "from the script" >&2
case $MODE in
  no_meta) if [ "$1" = --host ]; then echo '{"a": 1}'; else echo '{"g": ["h"]}'; fi ;;
  *) echo "$MODE" ;;
esac
