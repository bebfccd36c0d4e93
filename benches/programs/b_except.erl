%% exceptions: throw, error and exit caught near and far.
%% repeat: 3
-module(b_except).
-export([run/0]).
run() -> {near(1000000, 0), far(3000, 0), old(400000, 0)}.
near(0, A) -> A;
near(N, A) -> near(N - 1, A + try f(N) catch throw:X -> X; error:badarith -> 2 end).
f(N) when N band 3 =:= 0 -> throw(1);
f(N) when N band 3 =:= 1 -> N + id(a);
f(N) -> N band 1.
id(X) -> X.
far(0, A) -> A;
far(N, A) -> far(N - 1, A + try deep(200) catch throw:{deep, X} -> X end).
deep(0) -> throw({deep, 7});
deep(N) -> 1 + deep(N - 1).
old(0, A) -> A;
old(N, A) -> case catch g(N) of {'EXIT', bye} -> old(N - 1, A + 1); X -> old(N - 1, A + X) end.
g(N) when N band 1 =:= 0 -> exit(bye);
g(_) -> 3.
