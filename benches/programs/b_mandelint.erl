%% integers: the Mandelbrot set in fixed-point arithmetic.
%% repeat: 11
-module(b_mandelint).
-export([run/0]).
run() -> rows(-160, 0).
rows(160, A) -> A;
rows(Y, A) -> rows(Y + 1, cols(-220, Y, A)).
cols(100, _, A) -> A;
cols(X, Y, A) -> cols(X + 1, Y, A + iter(0, 0, X * 100, Y * 100, 120)).
iter(_, _, _, _, 0) -> 0;
iter(X, Y, Cx, Cy, N) ->
    X2 = X * X div 10000,
    Y2 = Y * Y div 10000,
    if X2 + Y2 > 40000 -> N;
       true -> iter(X2 - Y2 + Cx, 2 * X * Y div 10000 + Cy, Cx, Cy, N - 1)
    end.
