%% Measures operations one by one: main/1 gets modules, each with cases/0, a list of names and funs, and which names are wanted (`=Name`; all
%% if none is told). A fun is called, with numbers from 1 on, as often as takes long enough, and that is measured 100 times; the smallest
%% counts. Measurements are short, so that some are not disturbed by whoever else wants the core. Prints
%% `case Module Name Nanoseconds`: what a call of the fun costs, its own cost included.
-module(small).
-export([main/1, id/1]).

%% Nanoseconds that a measurement takes at least.
-define(ENOUGH, 2000000).

%% Milliseconds for which the machine may find out what is called often.
-define(WARM, 300).

%% Something of which the compiler knows nothing.
id(X) -> X.

main(Args) ->
    {Names, Modules} = lists:partition(fun(A) -> lists:prefix("=", A) end, Args),
    [measure(M, Name, F)
     || Module <- Modules,
        M <- [list_to_atom(Module)],
        {Name, F} <- M:cases(),
        Names =:= [] orelse lists:member("=" ++ atom_to_list(Name), Names)],
    erlang:halt(0).

measure(Module, Name, F) ->
    Ns = bench_driver:in_process(
           fun() ->
                   Calls = calls(F, 1),
                   warm(F, Calls, erlang:monotonic_time(millisecond) + ?WARM),
                   lists:min([time(F, Calls) || _ <- lists:seq(1, 100)]) / Calls
           end),
    io:format("case ~s ~s ~.1f~n", [Module, Name, Ns]).

calls(F, N) ->
    case time(F, N) of
        T when T >= ?ENOUGH -> N;
        T when T * 10 < ?ENOUGH -> calls(F, N * 4);
        T -> calls(F, N * ?ENOUGH div T + 1)
    end.

warm(F, Calls, Until) ->
    repeat(Calls, F),
    erlang:monotonic_time(millisecond) < Until andalso warm(F, Calls, Until).

time(F, N) ->
    T0 = erlang:monotonic_time(nanosecond),
    repeat(N, F),
    erlang:monotonic_time(nanosecond) - T0.

repeat(0, _) -> ok;
repeat(N, F) -> F(N), repeat(N - 1, F).
