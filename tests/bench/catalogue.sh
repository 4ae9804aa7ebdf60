#!/bin/sh
# The catalogue's questions with a million sessions, 99 of 100 within 10 ms: tests/bench/catalogue.sh BUILD
exec "$1/tests/bench_catalogue" 1000000 2000
