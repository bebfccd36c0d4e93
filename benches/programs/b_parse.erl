%% the compiler: scanning, parsing and compiling a source text.
%% repeat: 5
-module(b_parse).
-export([run/0]).
run() ->
    Fs = lists:append([fn(I) || I <- lists:seq(1, 60)]),
    Text = "-module(gen).\n-export([f1/2]).\n" ++ Fs,
    {ok, Toks, _} = erl_scan:string(Text),
    Forms = forms(Toks, []),
    {ok, gen, Bin} = compile:forms(Forms, [deterministic, nowarn_unused_function]),
    {length(Toks), length(Forms), is_binary(Bin)}.
fn(I) ->
    N = integer_to_list(I),
    "f" ++ N ++ "(X, [H | T]) when X > " ++ N ++ " -> Y = X * H + " ++ N ++ ", case Y rem 3 of 0 -> {ok, [Y | T]}; 1 -> #{k => Y, l => T}; _ -> <<Y:16, (length(T)):8>> end;\n"
    "f" ++ N ++ "(X, L) -> try lists:foldl(fun(A, B) -> A + B + X end, 0, L) catch error:R -> {R, [Z || Z <- L, is_integer(Z)]} end.\n".
forms([], A) -> lists:reverse(A);
forms(T, A) -> {F, R} = upto(T, []), {ok, Form} = erl_parse:parse_form(F), forms(R, [Form | A]).
upto([{dot, _} = D | T], A) -> {lists:reverse([D | A]), T};
upto([H | T], A) -> upto(T, [H | A]).
