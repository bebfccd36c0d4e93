%% integers: the Takeuchi function.
%% repeat: 4
-module(b_tak).
-export([run/0]).
run() -> {tak(27, 18, 9), tak(24, 16, 8)}.
tak(X, Y, Z) when Y < X -> tak(tak(X - 1, Y, Z), tak(Y - 1, Z, X), tak(Z - 1, X, Y));
tak(_, _, Z) -> Z.
