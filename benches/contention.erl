%% What many processes do at once to what they share. Prints `rate NAME N`: operations a second of all of them together.
%%
%% main/1: how many processes, for how many milliseconds each kind of operation.
-module(contention).
-export([main/1, nothing/1]).

-define(BATCH, 100).
-define(KEYS, 1000).

main([Workers, Time]) ->
    W = list_to_integer(Workers),
    T = list_to_integer(Time),
    [report(Name, steady(W, T, Make)) || {Name, Make} <- kinds(W)],
    report("message ring", ring(64, W, T)),
    report("message fan-in", fan_in(W, T)),
    erlang:halt(0).

report(Name, Rate) -> io:format("rate ~s ~w~n", [Name, Rate]).

%% Each has a function that makes what is shared and gives, for each process, the function of one operation.
kinds(W) ->
    [{lists:append(["ets ", Name, ", ", Keys, " key", Note]), table(Options, F, list_to_atom(Keys))}
     || {Name, F, Concurrency} <- [{"lookup", fun lookup/2, read_concurrency},
                                   {"insert", fun insert/2, write_concurrency},
                                   {"update_counter", fun count/2, write_concurrency}],
        {Note, Options} <- [{"", []}, {lists:concat([", ", Concurrency]), [{Concurrency, true}]}],
        Keys <- ["own", "one"]] ++
    [{"whereis", fun() -> fun(_) -> fun(_) -> whereis(init) end end end},
     {"apply M:f(X)", fun() -> fun(_) -> M = module(), fun(N) -> M:nothing(N) end end end},
     {"binary_to_existing_atom", fun() -> fun(_) -> fun(_) -> binary_to_existing_atom(<<"contention">>) end end end},
     {"atom_to_binary", fun() -> fun(_) -> fun(_) -> atom_to_binary(contention) end end end},
     {"persistent_term:get", fun() ->
         persistent_term:put(contention, {some, term}),
         fun(_) -> fun(_) -> persistent_term:get(contention) end end end},
     {"spawn and exit", fun() -> fun(_) -> fun(_) -> spawn_and_wait() end end end},
     {"monotonic_time", fun() -> fun(_) -> fun(_) -> erlang:monotonic_time() end end end},
     {"unique_integer", fun() -> fun(_) -> fun(_) -> erlang:unique_integer() end end end},
     {"make_ref", fun() -> fun(_) -> fun(_) -> make_ref() end end end},
     {"counters:add, one", fun() -> C = counters:new(1, []), fun(_) -> fun(_) -> counters:add(C, 1, 1) end end end},
     {"counters:add, write_concurrency", fun() ->
         C = counters:new(1, [write_concurrency]), fun(_) -> fun(_) -> counters:add(C, 1, 1) end end end},
     {"counters:add, own", fun() ->
         C = counters:new(W * 16, []), fun(I) -> fun(_) -> counters:add(C, I * 16 + 1, 1) end end end},
     {"process_info of itself", fun() -> fun(_) -> S = self(), fun(_) -> process_info(S, message_queue_len) end end end},
     {"process_info of one that waits", fun() ->
         P = spawn_link(fun() -> receive stop -> ok end end),
         fun(_) -> fun(_) -> process_info(P, message_queue_len) end end end},
     {"is_process_alive", fun() -> P = whereis(init), fun(_) -> fun(_) -> is_process_alive(P) end end end}].

table(Options, Operation, Keys) ->
    fun() ->
        E = ets:new(contention, [public | Options]),
        fun(I) ->
            [ets:insert(E, {{I, K}, 0}) || K <- lists:seq(0, ?KEYS - 1)],
            case Keys of
                own -> fun(N) -> Operation(E, {I, N rem ?KEYS}) end;
                one -> ets:insert(E, {one, 0}), fun(_) -> Operation(E, one) end
            end
        end
    end.

lookup(E, K) -> ets:lookup(E, K).
insert(E, K) -> ets:insert(E, {K, 1}).
count(E, K) -> ets:update_counter(E, K, 1).

%% Nothing that the compiler knows.
module() -> list_to_existing_atom("contention").

nothing(X) -> X.

spawn_and_wait() ->
    {P, M} = spawn_monitor(fun() -> ok end),
    receive {'DOWN', M, process, P, normal} -> ok end.

%% W processes repeat one operation for T milliseconds.
steady(W, T, Make) ->
    in_process(fun() ->
        For = Make(),
        S = self(),
        Ps = [spawn_link(fun() ->
                  F = For(I),
                  S ! ready,
                  receive {go, End} -> S ! {did, repeat(F, End, 0)} end
              end) || I <- lists:seq(0, W - 1)],
        [receive ready -> ok end || _ <- Ps],
        T0 = now_us(),
        [P ! {go, T0 + T * 1000} || P <- Ps],
        Done = lists:sum([receive {did, N} -> N end || _ <- Ps]),
        rate(Done, T0)
    end).

repeat(F, End, N) ->
    batch(F, N, ?BATCH),
    case now_us() < End of
        true -> repeat(F, End, N + ?BATCH);
        false -> N + ?BATCH
    end.

batch(_, _, 0) -> ok;
batch(F, N, K) -> F(N + K), batch(F, N, K - 1).

%% Tokens, as many as there are schedulers, go around in a ring of processes.
ring(Size, Tokens, T) ->
    in_process(fun() ->
        S = self(),
        T0 = now_us(),
        End = T0 + T * 1000,
        First = lists:foldl(fun(_, Next) -> spawn_link(fun() -> pass(Next, S, Size, End) end) end,
                            spawn_link(fun() -> receive {first, P} -> pass(P, S, Size, End) end end),
                            lists:seq(2, Size)),
        {links, Ps} = process_info(self(), links),
        [P ! {first, First} || P <- Ps],
        [First ! {token, 0} || _ <- lists:seq(1, Tokens)],
        Done = lists:sum([receive {did, N} -> N end || _ <- lists:seq(1, Tokens)]),
        rate(Done, T0)
    end).

pass(Next, S, Size, End) ->
    receive
        {token, N} when N rem Size =:= 0 ->
            case now_us() < End of
                true -> Next ! {token, N + 1};
                false -> S ! {did, N}
            end,
            pass(Next, S, Size, End);
        {token, N} -> Next ! {token, N + 1}, pass(Next, S, Size, End);
        {first, _} -> pass(Next, S, Size, End)
    end.

%% W processes send to one, each waiting for an answer after some messages.
fan_in(W, T) ->
    in_process(fun() ->
        S = self(),
        T0 = now_us(),
        End = T0 + T * 1000,
        [spawn_link(fun() -> S ! {stopped, send(S, End, 0)} end) || _ <- lists:seq(1, W)],
        rate(take(W, 0), T0)
    end).

send(S, End, N) ->
    [S ! {m, K} || K <- lists:seq(2, ?BATCH)],
    S ! {last, self()},
    receive more -> ok end,
    case now_us() < End of
        true -> send(S, End, N + ?BATCH);
        false -> N + ?BATCH
    end.

take(0, Sum) -> Sum;
take(W, Sum) ->
    receive
        {m, _} -> take(W, Sum);
        {last, P} -> P ! more, take(W, Sum);
        {stopped, N} -> take(W - 1, Sum + N)
    end.

rate(Done, T0) -> round(Done * 1.0e6 / max(1, now_us() - T0)).

now_us() -> erlang:monotonic_time(microsecond).

in_process(F) ->
    {P, M} = spawn_monitor(fun() -> exit({done, F()}) end),
    receive
        {'DOWN', M, process, P, {done, R}} -> R;
        {'DOWN', M, process, P, Why} -> erlang:error(Why)
    end.
