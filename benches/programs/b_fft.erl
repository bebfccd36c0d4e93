%% floats: a recursive fast Fourier transform over lists.
%% repeat: 2
-module(b_fft).
-export([run/0]).
run() -> X = [{math:sin(I * 0.1) + (I rem 7), 0.0} || I <- lists:seq(0, 32767)], Y = fft(fft(X)), {R, _} = lists:nth(100, Y), round(R * 1.0e3).
fft([X]) -> [X];
fft(L) ->
    {E, O} = split(L, [], []),
    N = length(L),
    {A, B} = combine(fft(E), fft(O), 0, -2 * math:pi() / N, [], []),
    A ++ B.
split([], E, O) -> {lists:reverse(E), lists:reverse(O)};
split([A, B | T], E, O) -> split(T, [A | E], [B | O]).
combine([], [], _, _, A, B) -> {lists:reverse(A), lists:reverse(B)};
combine([{Er, Ei} | E], [{Or, Oi} | O], K, W, A, B) ->
    C = math:cos(K * W), S = math:sin(K * W),
    Tr = C * Or - S * Oi, Ti = C * Oi + S * Or,
    combine(E, O, K + 1, W, [{Er + Tr, Ei + Ti} | A], [{Er - Tr, Ei - Ti} | B]).
