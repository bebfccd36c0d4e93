%% integers and lists: primes by trial division over a growing list.
%% repeat: 1
-module(b_sieve).
-export([run/0]).
run() -> P = primes(3, 60000, [2]), {length(P), lists:sum(P)}.
primes(N, Max, P) when N > Max -> lists:reverse(P);
primes(N, Max, P) ->
    case prime(N, lists:reverse(small(P, N, []))) of
        true -> primes(N + 2, Max, [N | P]);
        false -> primes(N + 2, Max, P)
    end.
small(P, N, _) -> take(lists:reverse(P), N, []).
take([H | T], N, A) when H * H =< N -> take(T, N, [H | A]);
take(_, _, A) -> A.
prime(_, []) -> true;
prime(N, [H | _]) when N rem H =:= 0 -> false;
prime(N, [_ | T]) -> prime(N, T).
