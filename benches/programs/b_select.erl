%% pattern dispatch: selection on atoms, integers and tuples.
%% repeat: 10
-module(b_select).
-export([run/0]).
run() -> L = [a1, b2, {x, 1}, c3, 7, {y, 2, 3}, d4, 19, e5, {z}, f6, 100, g7, h8, "s", <<"b">>], loop(1500000, L, L, 0).
loop(0, _, _, A) -> A;
loop(N, [], L, A) -> loop(N, L, L, A);
loop(N, [H | T], L, A) -> loop(N - 1, T, L, (A * 3 + kind(H) + next(H)) band 16#FFFFFFF).
kind(a1) -> 1; kind(b2) -> 2; kind(c3) -> 3; kind(d4) -> 4; kind(e5) -> 5; kind(f6) -> 6; kind(g7) -> 7; kind(h8) -> 8;
kind(7) -> 9; kind(19) -> 10; kind(100) -> 11;
kind({x, N}) -> 12 + N; kind({y, A, B}) -> A + B; kind({z}) -> 13; kind([_ | _]) -> 14; kind(B) when is_binary(B) -> byte_size(B).
next(X) when is_atom(X) -> 1;
next(X) when is_integer(X), X > 10 -> 2;
next(X) when is_integer(X) -> 3;
next(X) when tuple_size(X) =:= 2 -> 4;
next(X) when is_tuple(X) -> 5;
next(_) -> 6.
