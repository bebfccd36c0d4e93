%% Three nodes whose connections go through a proxy: they are taken to pieces, held up, made from both ends at once, and cut and reset
%% at every stage while all talk to all. Each case is run with the machine under test alone, and with the release's own BEAM between
%% two of it.
%% modes: plain
%% releases: 27
%% limit: 600
-module(t_partition).
-export([start_link/0, register_node/2, register_node/3, port_please/2, port_please/3, address_please/3, listen_port_please/2, names/1, listens/0]).
-export([hub/0, talk/1, settled/1, has/2, connects/1, talks/1, filler/1, collects/1, sleeper/0, watches/1, ask/1, members/0]).
-include("diff.hrl").

-define(WAIT, 60000).
-include("peers.hrl").
-include("proxy.hrl").

%% ---- in the nodes ----

%% Every node has one. It notes of each sender what it has seen last, and what was not as it should be.
hub() ->
    register(t_partition, self()),
    hub(#{}, []).

hub(Last, Bad) ->
    receive
        {talk, From, I, Data} ->
            case I > maps:get(From, Last, 0) andalso Data =:= data(I, From) of
                true -> hub(Last#{From => I}, Bad);
                false -> hub(Last, [{From, I, maps:get(From, Last, 0)} | Bad])
            end;
        {echo, To, X} -> To ! {echo, To, X}, hub(Last, Bad);
        {seen, To, M, From} -> To ! {M, maps:get(From, Last, 0), Bad}, hub(Last, Bad)
    end.

%% Now and then something that goes in fragments, otherwise atoms of the cache and what names processes.
data(I, From) when I rem 40 =:= 0 -> {From, binary:copy(<<I:32>>, 40000)};
data(I, From) -> {From, list_to_atom("t_partition_" ++ integer_to_list(I rem 300)), lists:seq(1, I rem 200), [node(From) | I / 3]}.

%% Sends to the hub of another node until it is told to stop. Every few messages it asks for an answer: which comes once, or the
%% connection is gone.
talk(B) -> talk({t_partition, B}, 1, #{}).

talk(Hub, I, Ends) ->
    Hub ! {talk, self(), I, data(I, self())},
    Next = if
        I rem 5 =/= 0 -> Ends;
        true ->
            M = monitor(process, Hub, [{alias, reply_demonitor}]),
            Hub ! {echo, M, I},
            receive
                {echo, M, I} -> Ends;
                {'DOWN', M, process, Hub, Why} -> Ends#{Why => true}
            after ?WAIT ->
                Ends#{late => true}
            end
    end,
    receive
        {settled, Leader, M1} -> talked(50, Hub, I + 1, Next, Leader, M1)
    after I rem 5 div 4 ->
        talk(Hub, I + 1, Next)
    end.

%% The connection is left alone now: what is sent last comes, and nothing else has come back.
talked(0, _, _, _, Leader, M) ->
    Leader ! {M, late};
talked(N, Hub, I, Ends, Leader, M) ->
    Hub ! {talk, self(), I, data(I, self())},
    R = monitor(process, Hub, [{alias, reply_demonitor}]),
    Hub ! {seen, R, R, self()},
    receive
        {R, I, Bad} -> Leader ! {M, lists:sort(maps:keys(Ends)), Bad, element(2, process_info(self(), messages))};
        {R, _, _} -> talked(N - 1, Hub, I + 1, Ends, Leader, M);
        {'DOWN', R, _, _, _} -> talked(N - 1, Hub, I + 1, Ends, Leader, M)
    after ?WAIT ->
        Leader ! {M, late}
    end.

settled(P) ->
    M = make_ref(),
    P ! {settled, self(), M},
    receive
        {M, Ends, Bad, Messages} -> {Ends -- [noconnection], Bad, Messages};
        {M, X} -> X
    after ?WAIT ->
        late
    end.

%% Whether the hub here has seen the message of that number, or a later one.
has(From, I) ->
    M = make_ref(),
    t_partition ! {seen, self(), M, From},
    receive {M, Last, _} -> Last >= I after ?WAIT -> late end.

connects(B) -> net_kernel:connect_node(B).

%% Both ways, and there is one connection only.
talks(B) ->
    R = monitor(process, {t_partition, B}, [{alias, reply_demonitor}]),
    {t_partition, B} ! {echo, R, B},
    Echo = receive {echo, R, B} -> true; {'DOWN', R, _, _, Why} -> Why after ?WAIT -> late end,
    {Echo, length([N || N <- nodes(), N =:= B])}.

%% Sends to another node until that would make it wait, and then once more. Begins when it is asked the first time, and answers
%% the second time.
filler(B) ->
    Leader = self(),
    P = spawn(fun() ->
        R = spawn(B, ?MODULE, collects, [self()]),
        M = monitor(process, R),
        receive {R, ready} -> Leader ! {self(), ready} end,
        N = receive {ask, First} -> fill(R, 1) end,
        First ! {self(), N < 3000},
        R ! {N, data(40, self())},
        R ! {end_of_it, N},
        What = receive {R, X} -> X; {'DOWN', M, process, R, Why} -> {down, Why} after ?WAIT -> late end,
        erlang:demonitor(M, [flush]),
        receive {ask, Second} -> Second ! {self(), {What, element(2, process_info(self(), messages))}} end
    end),
    receive {P, ready} -> P after ?WAIT -> late end.

fill(_, 3000) -> 3000;
fill(R, N) -> case erlang:send(R, {N, data(40, self())}, [nosuspend]) of ok -> fill(R, N + 1); nosuspend -> N end.

collects(To) ->
    To ! {self(), ready},
    collects(To, 1).

collects(To, I) ->
    receive
        {I, Data} -> case Data =:= data(40, To) of true -> collects(To, I + 1); false -> To ! {self(), wrong} end;
        {end_of_it, N} -> To ! {self(), {all, N =:= I - 1}};
        Other when is_tuple(Other) -> To ! {self(), {order, I, element(1, Other)}}
    after ?WAIT ->
        ok
    end.

sleeper() -> receive after infinity -> ok end.

%% Notes why a node is gone.
watches(B) ->
    Leader = self(),
    W = spawn(fun() ->
        ok = net_kernel:monitor_nodes(true, [nodedown_reason]),
        Leader ! {self(), ready},
        Why = receive {nodedown, B, [{nodedown_reason, R}]} -> R after ?WAIT -> stays end,
        receive {ask, From} -> From ! {self(), Why} end
    end),
    receive {W, ready} -> W end.

ask(P) -> P ! {ask, self()}, receive {P, What} -> What after ?WAIT -> late end.

members() -> length(pg:get_members(t_partition)).

%% ---- in the node that leads ----

start(Net, Kind, Unique, [C] = Letter, Args) ->
    {ok, Peer, _} = peer:start(#{
        connection => standard_io,
        exec => machine(Kind),
        wait_boot => ?WAIT,
        args => proxy_arguments(Net, C) ++ Args ++ ["-pa", filename:dirname(code:which(?MODULE)), "-setcookie", "t_partition",
            "-kernel", "logger_level", "none", "-sname", Unique ++ "_" ++ Letter ++ "@localhost"]
    }),
    {Peer, peer:call(Peer, erlang, node, [], ?WAIT)}.

%% Three nodes that are not connected yet.
three(Kinds, Args) ->
    Unique = "t_partition" ++ os:getpid() ++ "_" ++ integer_to_list(erlang:unique_integer([positive])),
    Net = proxy("abc"),
    Nodes = [start(Net, Kind, Unique, [C], Args) || {Kind, C} <- lists:zip(Kinds, "abc")],
    [ets:insert(Net, {{listens, C}, peer:call(P, ?MODULE, listens, [], ?WAIT)}) || {C, {P, _}} <- lists:zip("abc", Nodes)],
    [begin
        H = peer:call(P, erlang, spawn, [?MODULE, hub, []], ?WAIT),
        {ok, _} = peer:call(P, pg, start, [pg], ?WAIT),
        ok = peer:call(P, pg, join, [t_partition, H], ?WAIT)
    end || {P, _} <- Nodes],
    {Net, Nodes}.

%% The results of a case for both sets of machines; one of them if they are the same.
sets(Args, Case) ->
    case [{Kinds, one(Kinds, Args, Case)} || Kinds <- kinds()] of
        [{_, R}, {_, R}] -> R;
        Differ -> {differ, Differ}
    end.

kinds() -> [[self, self, self], [self, beam, self]].

%% Nodes are kept from case to case by the process that has started them, in which the cases run: with it they end.
one(Kinds, Args, Case) ->
    Key = {?MODULE, Kinds, Args},
    Keeper = case persistent_term:get(Key, none) of
        none ->
            P = spawn(fun() -> process_flag(trap_exit, true), kept(three(Kinds, Args)) end),
            persistent_term:put(Key, P),
            P;
        P ->
            P
    end,
    M = monitor(process, Keeper),
    Keeper ! {run, self(), M, Case},
    receive
        {M, V} -> erlang:demonitor(M, [flush]), V;
        {'DOWN', M, process, _, Why} -> persistent_term:erase(Key), {died, Why}
    after 4 * ?WAIT ->
        exit(Keeper, kill),
        persistent_term:erase(Key),
        hangs
    end.

kept({Net, Nodes}) ->
    receive {run, From, M, Case} -> From ! {M, Case(Net, Nodes)} end,
    kept({Net, Nodes}).

%% The end of all nodes.
ended(Args) ->
    Stop = fun(_, Nodes) -> [peer:stop(P) || {P, _} <- Nodes] end,
    [begin
        one(Kinds, Args, Stop),
        persistent_term:erase({?MODULE, Kinds, Args})
    end || Kinds <- kinds(), persistent_term:get({?MODULE, Kinds, Args}, none) =/= none],
    ok.

until(F) -> until(?WAIT div 50, F).
until(0, _) -> late;
until(N, F) -> case F() of true -> ok; _ -> receive after 50 -> until(N - 1, F) end end.

both_ways() -> [{$a, $b}, {$b, $a}].
ways() -> [{X, Y} || X <- "abc", Y <- "abc", X =/= Y].
place(C, Nodes) -> lists:nth(C - $a + 1, Nodes).
at(C, Nodes, F, A) -> {P, _} = place(C, Nodes), peer:call(P, ?MODULE, F, A, ?WAIT).
name(C, Nodes) -> element(2, place(C, Nodes)).
open(Net) -> [rule(Net, X, Y, open) || {X, Y} <- ways()].

%% One on each node talks to each other node.
talkers(Nodes) ->
    [begin
        {P, _} = place(X, Nodes),
        {X, Y, peer:call(P, erlang, spawn, [?MODULE, talk, [name(Y, Nodes)]], ?WAIT)}
    end || {X, Y} <- ways()].

all_settled(Talkers, Nodes) ->
    Settled = lists:usort([at(X, Nodes, settled, [T]) || {X, _, T} <- Talkers]),
    {Settled, until(fun() -> [at(C, Nodes, members, []) || C <- "abc"] =:= [3, 3, 3] end)}.

in_pieces(Net, Nodes) ->
    [rule(Net, X, Y, {pieces, 1}) || {X, Y} <- ways()],
    Talkers = talkers(Nodes),
    First = lists:usort([until(fun() -> at(Y, Nodes, has, [T, 20]) end) || {_, Y, T} <- Talkers]),
    [rule(Net, X, Y, {pieces, 37}) || {X, Y} <- ways()],
    Then = lists:usort([until(fun() -> at(Y, Nodes, has, [T, 85]) end) || {_, Y, T} <- Talkers]),
    open(Net),
    {First, Then, all_settled(Talkers, Nodes)}.

%% Each is cut after so many bytes of a connection that is made or is in use.
cuts(Net, Nodes) ->
    Talkers = talkers(Nodes),
    Started = lists:usort([until(fun() -> at(Y, Nodes, has, [T, 1]) end) || {_, Y, T} <- Talkers]),
    Bytes = [{future, N} || N <- [0, 1, 2, 7, 20, 35, 50, 65, 80, 120, 200, 400]] ++ [{present, N} || N <- [0, 1, 1000, 5000, 50000, 200000]],
    Every = [{W, What, When, N} || {I, {When, N}} <- lists:enumerate(Bytes), {J, W} <- lists:enumerate(ways()), What <- [cut, reset],
        %% Each number of bytes at two ways, each way at every third number.
        (I + J) rem 3 =:= 0, (I + J) rem 2 =:= case What of cut -> 0; reset -> 1 end],
    Done = lists:usort([cut(Net, X, Y, What, When, N) || {{X, Y}, What, When, N} <- Every]),
    {Started, Done, all_settled(Talkers, Nodes)}.

cut(Net, X, Y, What, When, N) ->
    Key = {ended, What, X, Y},
    Before = counted(Net, Key),
    case When of
        future -> [future_rule(Net, X, Y, By, {What, N}) || By <- [X, Y]], [present_rule(Net, X, Y, By, {What, 0}) || By <- [X, Y]];
        present -> rule(Net, X, Y, {What, N})
    end,
    Ends = case When of future -> 2; present -> 1 end,
    R = until(fun() -> counted(Net, Key) >= Before + Ends end),
    rule(Net, X, Y, open),
    case R of ok -> ok; late -> {late, X, Y, What, When, N} end.

%% Both ends begin to connect before anything of either has come to the other. What is held is let go in this order.
at_once(Orders) -> fun(Net, Nodes) -> [at_once(Order, Net, Nodes) || Order <- Orders] end.

at_once(Order, Net, Nodes) ->
    Connecting = both_connect(10, Net, Nodes),
    [rule(Net, X, Y, By, Rule) || {X, Y, By, Rule} <- Order],
    [rule(Net, X, Y, open) || {X, Y} <- both_ways()],
    Connected = connected(Connecting),
    %% Whoever is cut off has not connected perhaps; the next attempt does.
    Cut = [Rule || {_, _, _, Rule} <- Order, Rule =/= open] =/= [],
    {Cut orelse Connected, until(fun() -> [at(X, Nodes, talks, [name(Y, Nodes)]) || {X, Y} <- both_ways()] =:= [{true, 1}, {true, 1}] end)}.

%% Something in the nodes may have connected them again before all is held. Then that is done once more.
both_connect(N, Net, Nodes) when N > 0 ->
    [begin {P, _} = place(X, Nodes), peer:call(P, erlang, disconnect_node, [name(Y, Nodes)], ?WAIT) end || {X, Y} <- both_ways()],
    ok = until(fun() -> not lists:any(fun({X, Y}) -> {P, _} = place(X, Nodes), lists:member(name(Y, Nodes), peer:call(P, erlang, nodes, [], ?WAIT)) end, both_ways()) end),
    [rule(Net, X, Y, held) || {X, Y} <- both_ways()],
    Before = [counted(Net, {connections, X, Y}) || {X, Y} <- both_ways()],
    Connecting = [spawn_monitor(fun() -> exit({connected, at(X, Nodes, connects, [name(Y, Nodes)])}) end) || {X, Y} <- both_ways()],
    case until(100, fun() -> [] =:= [C || {{X, Y}, C} <- lists:zip(both_ways(), Before), counted(Net, {connections, X, Y}) =< C] end) of
        ok ->
            Connecting;
        late ->
            [rule(Net, X, Y, open) || {X, Y} <- both_ways()],
            connected(Connecting),
            both_connect(N - 1, Net, Nodes)
    end.

connected(Connecting) -> [receive {'DOWN', M, process, P, {connected, C}} -> C after 2 * ?WAIT -> late end || {P, M} <- Connecting].

%% The connection of the second node is the one that stays. If it fails when the first node has been told so, that waits for it as long
%% as `net_setuptime` says, on BEAM as well; so it is cut here before.
orders() ->
    [[{$a, $b, $a, open}], [{$b, $a, $b, open}],
     [{$a, $b, $a, open}, {$b, $a, $a, open}], [{$b, $a, $b, open}, {$a, $b, $b, open}],
     [{$a, $b, $a, {cut, 0}}], [{$a, $b, $a, {reset, 0}}],
     [{$a, $b, $a, open}, {$b, $a, $a, {cut, 5}}], [{$b, $a, $b, open}, {$a, $b, $b, {reset, 5}}]].

%% One connection stands still while it is full. The others do not.
full(How) -> fun(Net, Nodes) -> [full(X, Y, Z, How, Net, Nodes) || {X, Y, Z} <- [{$a, $b, $c}, {$b, $c, $a}]] end.

full(X, Y, Z, How, Net, Nodes) ->
    [true, true, true] = [at(S, Nodes, connects, [name(T, Nodes)]) || {S, T} <- [{X, Y}, {X, Z}, {Y, Z}]],
    P = at(X, Nodes, filler, [name(Y, Nodes)]),
    rule(Net, X, Y, held),
    Filled = at(X, Nodes, ask, [P]),
    Others = [at(S, Nodes, talks, [name(T, Nodes)]) || {S, T} <- [{X, Z}, {Z, X}, {Y, Z}]],
    rule(Net, X, Y, How),
    Result = at(X, Nodes, ask, [P]),
    rule(Net, X, Y, open),
    Again = until(fun() -> [at(S, Nodes, talks, [name(T, Nodes)]) || {S, T} <- [{X, Y}, {Y, X}]] =:= [{true, 1}, {true, 1}] end),
    {Filled, Others, Result, Again}.

%% Nothing comes any more, and nobody says why.
silent(Net, Nodes) ->
    [true, true, true] = [at(S, Nodes, connects, [name(T, Nodes)]) || {S, T} <- [{$a, $b}, {$a, $c}, {$b, $c}]],
    Time = fun(T) -> [peer:call(P, net_kernel, set_net_ticktime, [T, 0], ?WAIT) || {P, _} <- Nodes] end,
    Time(4),
    Watchers = [{X, at(X, Nodes, watches, [name(Y, Nodes)])} || {X, Y} <- both_ways()],
    [rule(Net, X, Y, held) || {X, Y} <- both_ways()],
    Why = [at(X, Nodes, ask, [W]) || {X, W} <- Watchers],
    Time(60),
    open(Net),
    {Why, until(fun() -> [at(X, Nodes, talks, [name(Y, Nodes)]) || {X, Y} <- ways()] =:= lists:duplicate(6, {true, 1}) end)}.

%% ---- global ----

whereis_all(Name, Nodes) -> lists:usort([peer:call(P, global, whereis_name, [Name], ?WAIT) || {P, _} <- Nodes]).
spawned(P) -> peer:call(P, erlang, spawn, [?MODULE, sleeper, []], ?WAIT).
refuse(Net, Pairs) -> [rule(Net, X, Y, refused) || {A, B} <- Pairs, {X, Y} <- [{A, B}, {B, A}]].

together(Nodes) ->
    until(fun() ->
        [peer:call(P, net_kernel, connect_node, [N], ?WAIT) || {P, Me} <- Nodes, {_, N} <- Nodes, N =/= Me],
        lists:all(fun({P, _}) -> length(peer:call(P, erlang, nodes, [], ?WAIT)) =:= 2 end, Nodes)
    end).

%% One node is cut off. A name that is then given twice is somebody's afterwards, and the other one is gone.
names_of_parts(Net, [{PA, NA}, {PB, _}, {PC, _}] = Nodes) ->
    First = together(Nodes),
    [A, B, Q] = [spawned(P) || P <- [PA, PB, PC]],
    Pairs = [{PA, A}, {PC, Q}],
    yes = peer:call(PB, global, register_name, [before, B], ?WAIT),
    refuse(Net, [{$a, $b}, {$a, $c}]),
    [[present_rule(Net, X, Y, By, {cut, 0}) || By <- [X, Y]] || {X, Y} <- ways(), X =:= $a orelse Y =:= $a],
    [peer:call(PA, erlang, disconnect_node, [name(C, Nodes)], ?WAIT) || C <- "bc"],
    Apart = until(fun() ->
        peer:call(PA, erlang, nodes, [], ?WAIT) =:= [] andalso not lists:any(fun(P) -> lists:member(NA, peer:call(P, erlang, nodes, [], ?WAIT)) end, [PB, PC])
    end),
    Lost = until(fun() -> whereis_all(before, [hd(Nodes)]) =:= [undefined] end),
    Given = [peer:call(P, global, register_name, [twice, O], ?WAIT) || {P, O} <- Pairs],
    open(Net),
    Together = together(Nodes),
    Same = until(fun() -> lists:member(whereis_all(twice, Nodes), [[A], [Q]]) end),
    Kept = until(fun() -> whereis_all(before, Nodes) =:= [B] end),
    [Whose] = whereis_all(twice, Nodes),
    Alive = until(fun() -> [O || {P, O} <- Pairs, peer:call(P, erlang, is_process_alive, [O], ?WAIT)] =:= [Whose] end),
    {First, Apart, Lost, Given, Together, Same, Kept, Alive}.

%% One connection is cut and cannot be made again: nobody stays connected to two that are not.
overlapping(Net, Nodes) ->
    First = together(Nodes),
    refuse(Net, [{$a, $b}]),
    {PA, _} = place($a, Nodes),
    peer:call(PA, erlang, disconnect_node, [name($b, Nodes)], ?WAIT),
    Apart = until(fun() ->
        [LA, LB, LC] = [lists:sort(peer:call(P, erlang, nodes, [], ?WAIT)) || {P, _} <- Nodes],
        [NA, NB, NC] = [N || {_, N} <- Nodes],
        lists:member({LA, LB, LC}, [{[NC], [], [NA]}, {[], [NC], [NB]}, {[], [], []}])
    end),
    open(Net),
    Together = together(Nodes),
    A = spawned(PA),
    Sync = [peer:call(P, global, sync, [], ?WAIT) || {P, _} <- Nodes],
    {First, Apart, Together, Sync, peer:call(PA, global, register_name, [later, A], ?WAIT), until(fun() -> whereis_all(later, Nodes) =:= [A] end)}.

cases() ->
    Loose = ["+zdbbl", "64", "-kernel", "net_setuptime", "20", "-kernel", "prevent_overlapping_partitions", "false"],
    [{in_pieces, fun() -> sets(Loose, fun in_pieces/2) end},
     {cuts, fun() -> sets(Loose, fun cuts/2) end},
     {at_once, fun() -> sets(Loose, at_once(orders())) end},
     {full_then_open, fun() -> sets(Loose, full(open)) end},
     {full_then_cut, fun() -> sets(Loose, full({cut, 100000})) end},
     {full_then_reset, fun() -> sets(Loose, full({reset, 0})) end},
     {silent, fun() -> sets(Loose, fun silent/2) end},
     {ended, fun() -> ended(Loose) end},
     {names_of_parts, fun() -> sets([], fun names_of_parts/2) end},
     {overlapping, fun() -> sets([], fun overlapping/2) end},
     {names_ended, fun() -> ended([]) end}].
