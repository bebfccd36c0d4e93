%% floats: the Mandelbrot set.
%% repeat: 5
-module(b_mandelbrot).
-export([run/0]).
run() -> rows(0, 200, 0).
rows(N, N, A) -> A;
rows(Y, N, A) -> rows(Y + 1, N, cols(0, Y, N, A)).
cols(N, _, N, A) -> A;
cols(X, Y, N, A) -> cols(X + 1, Y, N, A + iter(0.0, 0.0, 2.0 * X / N - 1.5, 2.0 * Y / N - 1.0, 100)).
iter(_, _, _, _, 0) -> 0;
iter(Zr, Zi, Cr, Ci, N) ->
    R2 = Zr * Zr, I2 = Zi * Zi,
    if R2 + I2 > 4.0 -> N;
       true -> iter(R2 - I2 + Cr, 2.0 * Zr * Zi + Ci, Cr, Ci, N - 1)
    end.
