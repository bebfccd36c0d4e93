%% bignums: digits of pi by a spigot.
%% repeat: 7
-module(b_pidigits).
-export([run/0]).
run() -> erlang:phash2(digits(700, {1, 0, 1}, 1, [])).
digits(0, _, _, A) -> A;
digits(N, Z, K, A) ->
    Y = extract(Z, 3),
    case extract(Z, 4) of
        Y -> digits(N - 1, prod(Z, Y), K, [Y | A]);
        _ -> digits(N, cons(Z, K), K + 1, A)
    end.
extract({Q, R, T}, J) -> (Q * J + R) div T.
prod({Q, R, T}, N) -> {10 * Q, 10 * (R - N * T), T}.
cons({Q, R, T}, K) -> L = 2 * K + 1, {Q * K, (2 * Q + R) * L, T * L}.
