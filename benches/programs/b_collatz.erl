%% integers: the longest Collatz chain below a bound.
%% repeat: 1
-module(b_collatz).
-export([run/0]).
run() -> longest(1, 400000, 0, 0).
longest(N, Max, BestN, Best) when N > Max -> {BestN, Best};
longest(N, Max, BestN, Best) ->
    case chain(N, 1) of
        L when L > Best -> longest(N + 1, Max, N, L);
        _ -> longest(N + 1, Max, BestN, Best)
    end.
chain(1, L) -> L;
chain(N, L) when N band 1 =:= 0 -> chain(N bsr 1, L + 1);
chain(N, L) -> chain(3 * N + 1, L + 1).
