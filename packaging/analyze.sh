#!/bin/bash
# gcc -fanalyzer and clang-tidy over all of src/. Exceptions stand here, each with its reason.
set -uo pipefail
cd "$(dirname "$0")/.."
export PATH=/usr/bin:/bin:$PATH
flags=(-std=gnu17 -D_GNU_SOURCE -Isrc -I.)
# -Wanalyzer-fd-leak and -Wanalyzer-malloc-leak do not follow ownership through structs of callbacks and lists; the sanitizers' leak
# check, which runs all tests, does.
# The NULL and uninitialized-value checks do not see that a callee which returns 0 has filled its out-parameter, our convention
# everywhere; clang's analyzer, which does, is run below.
analyzer=(-fanalyzer -O1 -Wno-analyzer-malloc-leak -Wno-analyzer-fd-leak -Wno-analyzer-use-of-uninitialized-value
    -Wno-analyzer-null-argument -Wno-analyzer-null-dereference -Wno-analyzer-possible-null-dereference)
bad=0
printf '%s\n' src/*/*.c | xargs -P 2 -I{} sh -c '
    out=$(gcc "$@" -c -o /dev/null {} 2>&1 | grep -E "warning:|error:"); [ -z "$out" ] || { echo "{}"; echo "$out"; exit 1; }' sh \
    "${flags[@]}" "${analyzer[@]}" || bad=1
# bugprone-easily-swappable-parameters and similar are matters of taste; the list is what finds faults.
checks='-*,bugprone-*,cert-err33-c,cert-err34-c,clang-analyzer-*,-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier'
# snprintf and memcpy are used with their lengths at hand: Annex K has no implementation here.
checks+=',-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling'
# Sizes are small constants multiplied before they widen; assignment in a condition is our way of chaining and gcc warns of the slip.
checks+=',-bugprone-implicit-widening-of-multiplication-result,-bugprone-assignment-in-if-condition,-bugprone-branch-clone'
# Neither analyzer sees that fail() never returns 0, so both follow paths on which an error was recorded and success returned; and
# clang's loses va_lists across files. What these would find, the sanitizers' runs of all tests and fuzz corpora find too.
checks+=',-clang-analyzer-core.NullDereference,-clang-analyzer-core.NonNullParamChecker,-clang-analyzer-core.CallAndMessage'
checks+=',-clang-analyzer-core.UndefinedBinaryOperatorResult,-clang-analyzer-core.uninitialized.*,-clang-analyzer-valist.*'
# Long SQL and help texts are joined literals.
checks+=',-bugprone-suspicious-missing-comma'
checks+=',-bugprone-narrowing-conversions,-bugprone-not-null-terminated-result,-bugprone-macro-parentheses'
printf '%s\n' src/*/*.c | xargs -P 2 -n 6 sh -c 'checks=$1; shift; clang-tidy -quiet "-checks=$checks" "--warnings-as-errors=*" "$@" -- '"${flags[*]}"' 2> /dev/null' \
    sh "$checks" || bad=1
exit $bad
