%% lists: zip, unzip, append, reverse, flatten, member and keyfind.
%% repeat: 7
-module(b_zips).
-export([run/0]).
run() -> loop(300, 0).
loop(0, A) -> A;
loop(N, A) ->
    L = lists:seq(1, 1000),
    Z = lists:zip(L, lists:reverse(L)),
    {X, Y} = lists:unzip(Z),
    F = lists:flatten([X, [Y, [X]], Y]),
    {_, V} = lists:keyfind(900, 1, Z),
    M = [K || K <- [1, 500, 1000, 2000], lists:member(K, L)],
    S = lists:append([X, Y, L]) ++ F,
    loop(N - 1, (A + V + length(M) + length(S) + lists:nth(700, S) + lists:last(F)) rem 1000003).
