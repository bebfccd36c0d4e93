%% tuples: record access and update.
%% repeat: 6
-module(b_records).
-export([run/0]).
-record(s, {a = 0, b = 1, c = 2, d = [], e = x, n = 0}).
run() -> R = loop(8000000, #s{}), {R#s.a, R#s.b, R#s.c, R#s.n}.
loop(0, S) -> S;
loop(N, #s{a = A, b = B} = S) when N band 1 =:= 0 -> loop(N - 1, S#s{a = (A + N) band 16#FFFFFF, n = B});
loop(N, #s{b = B, c = C} = S) -> loop(N - 1, S#s{b = (B bxor N) + 1, c = C + 1}).
