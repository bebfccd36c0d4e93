%% strings: io_lib:format of many kinds of terms.
%% repeat: 4
-module(b_io_fmt).
-export([run/0]).
run() -> loop(6000, 0).
loop(0, A) -> A;
loop(N, A) ->
    X = io_lib:format("~p ~w ~s ~5..0b ~.3f ~ts~n", [{state, N, [a, b, "str"]}, [N, {x, y}], "text", N, N / 3, <<"bin">>]),
    loop(N - 1, A + iolist_size(X)).
