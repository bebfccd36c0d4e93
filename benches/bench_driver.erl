%% Runs a benchmark program in a process of its own and prints how long it took.
%%
%% main/1: module, how often run/0 is called in one measurement, how many
%% measurements. One measurement is made and thrown away first, so that code
%% is loaded and warm.
-module(bench_driver).
-export([main/1, cold/1, scenario/1, in_process/1]).

main([Module, Repeat, Measurements]) ->
    M = list_to_atom(Module),
    K = list_to_integer(Repeat),
    Result = in_process(fun() -> repeat(K, M, none) end),
    [begin
         {T, R} = in_process(fun() -> timed(K, M) end),
         R =:= Result orelse erlang:error({result_changed, M, Result, R}),
         io:format("time ~w~n", [T])
     end || _ <- lists:seq(1, list_to_integer(Measurements))],
    io:format("result ~w~n", [Result]),
    erlang:halt(0).

timed(K, M) ->
    T0 = erlang:monotonic_time(),
    R = repeat(K, M, none),
    T1 = erlang:monotonic_time(),
    {erlang:convert_time_unit(T1 - T0, native, microsecond), R}.

repeat(0, _, R) -> R;
repeat(K, M, _) -> repeat(K - 1, M, M:run()).

%% What a fun gives in a process of its own.
in_process(F) ->
    {Pid, Ref} = spawn_monitor(fun() -> exit({done, F()}) end),
    receive
        {'DOWN', Ref, process, Pid, {done, R}} -> R;
        {'DOWN', Ref, process, Pid, Why} -> erlang:error(Why)
    end.

%% From the start of the machine on: how often run/0 can be called in so many milliseconds; or what is left to say when it has been
%% called so often.
cold([Module, "for", Ms]) ->
    Limit = erlang:system_info(start_time) + erlang:convert_time_unit(list_to_integer(Ms), millisecond, native),
    io:format("calls ~w~n", [in_process(fun() -> calls_until(list_to_atom(Module), Limit, 1) end)]),
    erlang:halt(0);
cold([Module, "calls", Calls]) ->
    in_process(fun() -> repeat(list_to_integer(Calls), list_to_atom(Module), none) end),
    Threads = threads(),
    io:format("cpu ~w~ncompiling ~w~n",
              [lists:sum([Ms || {_, Ms} <- Threads]),
               lists:sum([Ms || {<<"native_compiler", _/binary>>, Ms} <- Threads])]),
    erlang:halt(0).

calls_until(M, Limit, N) ->
    M:run(),
    case erlang:monotonic_time() < Limit of
        true -> calls_until(M, Limit, N + 1);
        false -> N
    end.

%% The machine's threads: name, and milliseconds of processor time so far.
threads() ->
    Dir = "/proc/self/task",
    {ok, Threads} = file:list_dir(Dir),
    [{Name, binary_to_integer(hd(binary:split(Times, <<" ">>))) div 1000000}
     || T <- Threads,
        {ok, Name} <- [file:read_file(filename:join([Dir, T, "comm"]))],
        {ok, Times} <- [file:read_file(filename:join([Dir, T, "schedstat"]))]].

%% What is not a running time: prints `value N` in the unit that README.md names.
scenario(["idle_process_memory"]) -> value(idle(fun() -> erlang:memory(processes) end));
scenario(["idle_process_rss"]) -> value(idle(fun rss/0));
scenario(["spawn_throughput"]) -> value(best(fun() -> rate(100000, fun spawn_many/1) end));
scenario(["spawn_link_exit"]) -> value(best(fun() -> rate(50000, fun spawn_wait/1) end));
scenario(["send_one_to_one"]) -> value(best(fun() -> rate(500000, fun send_pair/1) end));
scenario(["send_many_to_one"]) -> value(best(fun() -> rate(400000, fun send_fan_in/1) end));
scenario(["send_self"]) -> value(best(fun() -> rate(1000000, fun send_self/1) end)).

value(V) ->
    io:format("value ~w~n", [V]),
    erlang:halt(0).

best(F) -> lists:max([in_process(F) || _ <- [1, 2, 3, 4, 5]]).

rate(N, F) ->
    T0 = erlang:monotonic_time(),
    F(N),
    T1 = erlang:monotonic_time(),
    round(N * 1.0e6 / max(1, erlang:convert_time_unit(T1 - T0, native, microsecond))).

%% Bytes that one idle process adds. The first batch makes the tables grow.
idle(Measure) ->
    in_process(fun() ->
                       N = 100000,
                       stop(spawn_idle(1000, [])),
                       erlang:garbage_collect(),
                       Before = Measure(),
                       Pids = spawn_idle(N, []),
                       After = Measure(),
                       R = (After - Before) / N,
                       stop(Pids),
                       round(R)
               end).

spawn_idle(0, A) -> A;
spawn_idle(N, A) -> spawn_idle(N - 1, [spawn(fun wait/0) | A]).

wait() -> receive stop -> ok end.

stop(Pids) ->
    [begin R = erlang:monitor(process, P), P ! stop, receive {'DOWN', R, _, _, _} -> ok end end || P <- Pids],
    ok.

rss() ->
    {ok, Text} = file:read_file("/proc/self/status"),
    [_, Rest] = binary:split(Text, <<"VmRSS:">>),
    [Number | _] = string:lexemes(Rest, " \t"),
    binary_to_integer(Number) * 1024.

spawn_many(N) ->
    Self = self(),
    Each = 1000,
    [begin
         [spawn(fun() -> Self ! done end) || _ <- lists:seq(1, Each)],
         wait_done(Each)
     end || _ <- lists:seq(1, N div Each)].

spawn_wait(0) -> ok;
spawn_wait(N) ->
    {P, R} = spawn_monitor(fun() -> ok end),
    receive {'DOWN', R, process, P, normal} -> spawn_wait(N - 1) end.

send_pair(N) ->
    Self = self(),
    P = spawn_link(fun() -> take(N), Self ! done end),
    pump(P, N),
    wait_done(1).

send_fan_in(N) ->
    Self = self(),
    Each = N div 8,
    [spawn_link(fun() -> pump(Self, Each) end) || _ <- lists:seq(1, 8)],
    take(Each * 8).

send_self(0) -> ok;
send_self(N) -> self() ! {m, N}, receive {m, N} -> send_self(N - 1) end.

pump(_, 0) -> ok;
pump(P, N) -> P ! {m, N}, pump(P, N - 1).

take(0) -> ok;
take(N) -> receive {m, _} -> take(N - 1) end.

wait_done(0) -> ok;
wait_done(N) -> receive done -> wait_done(N - 1) end.
