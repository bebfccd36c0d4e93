%% garbage collection: many trees of different lifetimes.
%% repeat: 15
-module(b_bintrees).
-export([run/0]).
run() -> Long = make(15), S = lists:sum([count(N, D) || {N, D} <- [{2048, 6}, {512, 8}, {128, 10}, {32, 12}, {8, 14}]]), {check(Long), S}.
count(0, _) -> 0;
count(N, D) -> check(make(D)) + count(N - 1, D).
make(0) -> {nil, nil};
make(D) -> {make(D - 1), make(D - 1)}.
check({nil, nil}) -> 1;
check({L, R}) -> 1 + check(L) + check(R).
