%% floats: the spectral norm of an infinite matrix.
%% repeat: 13
-module(b_spectral).
-export([run/0]).
run() -> N = 200, U = lists:duplicate(N, 1.0), {U2, V2} = go(8, U, U, N), round(math:sqrt(dot(U2, V2, 0.0) / dot(V2, V2, 0.0)) * 1.0e9).
go(0, U, V, _) -> {U, V};
go(K, U, _, N) -> V = atau(U, N), go(K - 1, atau(V, N), V, N).
atau(U, N) -> atu(au(U, N), N).
au(U, N) -> [row(I, 0, U, 0.0) || I <- lists:seq(0, N - 1)].
atu(U, N) -> [col(I, 0, U, 0.0) || I <- lists:seq(0, N - 1)].
row(_, _, [], S) -> S;
row(I, J, [H | T], S) -> row(I, J + 1, T, S + H / ((I + J) * (I + J + 1) div 2 + I + 1)).
col(_, _, [], S) -> S;
col(I, J, [H | T], S) -> col(I, J + 1, T, S + H / ((I + J) * (I + J + 1) div 2 + J + 1)).
dot([A | T], [B | U], S) -> dot(T, U, S + A * B);
dot([], [], S) -> S.
