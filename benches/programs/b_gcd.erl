%% integers: greatest common divisors of all pairs.
%% repeat: 1
-module(b_gcd).
-export([run/0]).
run() -> outer(2000, 0).
outer(0, A) -> A;
outer(N, A) -> outer(N - 1, inner(N, 2000, A)).
inner(_, 0, A) -> A;
inner(N, M, A) -> inner(N, M - 1, A + gcd(N, M)).
gcd(A, 0) -> A;
gcd(A, B) -> gcd(B, A rem B).
