%% processes: parallel sums over chunks.
%% repeat: 15
-module(b_pfold).
-export([run/0]).
run() -> lists:sum([pmap(fun(I) -> work(I * 1000, 3000, 0) end, lists:seq(1, 64)) || _ <- lists:seq(1, 25)]) rem 1000000007.
pmap(F, L) -> S = self(), Rs = [begin R = make_ref(), spawn_link(fun() -> S ! {R, F(X)} end), R end || X <- L], lists:sum([receive {R, V} -> V end || R <- Rs]).
work(_, 0, A) -> A;
work(X, N, A) -> work(X, N - 1, (A + X * N) rem 999983).
