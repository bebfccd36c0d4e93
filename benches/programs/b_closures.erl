%% funs: making and calling closures, composition, the Y combinator.
%% repeat: 6
-module(b_closures).
-export([run/0]).
run() -> {loop(600000, 0), (y(fun(S) -> fun(0) -> 0; (N) -> 1 + S(N - 1) end end))(100000), compose(300)}.
loop(0, A) -> A;
loop(N, A) -> F = adder(N), G = fun(X, Y) -> F(X) + Y end, loop(N - 1, apply2(G, A band 16#FFFF, N)).
adder(N) -> fun(X) -> X + N end.
apply2(F, A, B) -> F(A, B).
y(F) -> (fun(X) -> X(X) end)(fun(G) -> F(fun(A) -> (G(G))(A) end) end).
compose(N) -> F = lists:foldl(fun(I, G) -> fun(X) -> G(X) + I end end, fun(X) -> X end, lists:seq(1, N)), lists:sum([F(X) || X <- lists:seq(1, 2000)]).
