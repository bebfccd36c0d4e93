%% Three nodes: names of `global`, and a database whose nodes are killed while they write. The nodes are peers that are led over
%% their standard input, of the machine under test and, where it says so, the release's own BEAM.
%% modes: plain interp native
-module(t_cluster).
-export([content/1, put/1, synced/1, bump/0, counted/0, sleeper/0, unnamed/1]).
-include("diff.hrl").

-define(WAIT, 120000).
-define(TABLES, [{t_cluster_ram, ram_copies}, {t_cluster_disc, disc_copies}, {t_cluster_only, disc_only_copies}]).
-include("peers.hrl").

start(Kind, Port, Args) ->
    {ok, Peer, Node} = peer:start(#{
        connection => standard_io,
        exec => machine(Kind),
        wait_boot => ?WAIT,
        env => [{"ERL_EPMD_PORT", integer_to_list(Port)}, {"ERL_EPMD_ADDRESS", "127.0.0.1"}],
        args => Args ++ ["-setcookie", "t_cluster", "-kernel", "logger_level", "none", "-kernel", "prevent_overlapping_partitions", "false", "-pa", filename:dirname(code:which(?MODULE))]
    }),
    {Peer, Node}.

named(Port, Name, Dir) -> named(self, Port, Name, Dir).

named(Kind, Port, Name, Dir) ->
    {P, _} = start(Kind, Port, ["-sname", Name ++ "@localhost", "-mnesia", "dir", "\"" ++ filename:join(Dir, Name) ++ "\""]),
    {P, peer:call(P, erlang, node, [], ?WAIT)}.

kill(P) -> os:cmd("kill -9 " ++ peer:call(P, os, getpid, [], ?WAIT)).

%% A case in a process of its own, with names that nobody else has, a directory, and an epmd.
with(F) ->
    Port = free_port(),
    Unique = "t_cluster" ++ os:getpid() ++ "_" ++ integer_to_list(erlang:unique_integer([positive])),
    Dir = filename:join(filename:dirname(code:which(?MODULE)), Unique),
    {P, M} = spawn_monitor(fun() ->
        process_flag(trap_exit, true),
        exit({value, F(Port, Unique, Dir)})
    end),
    R = receive {'DOWN', M, process, P, {value, V}} -> V; {'DOWN', M, process, P, Why} -> {died, Why} after 3 * ?WAIT -> hangs end,
    gone(100, Port),
    ok = file:del_dir_r(Dir),
    R.

gone(0, _) -> stays;
gone(N, Port) ->
    case epmd(["-port", integer_to_list(Port), "-kill"]) of
        0 -> gone;
        _ -> receive after 100 -> gone(N - 1, Port) end
    end.

three(Port, Unique, Dir) -> three([self, self, self], Port, Unique, Dir).

three(Kinds, Port, Unique, Dir) ->
    ok = filelib:ensure_dir(filename:join(Dir, "x")),
    Cluster = [named(Kind, Port, Unique ++ [$_, C], Dir) || {Kind, C} <- lists:zip(Kinds, "abc")],
    [{P1, _} | Others] = Cluster,
    [pong = peer:call(P1, net_adm, ping, [N], ?WAIT) || {_, N} <- Others],
    Cluster.

sleeper() -> receive after infinity -> ok end.

until(0, _) -> late;
until(N, F) -> case F() of true -> ok; _ -> receive after 50 -> until(N - 1, F) end end.

global_names() ->
    with(fun(Port, Unique, Dir) ->
        [{P1, _}, {P2, _}, {P3, _}] = three(Port, Unique, Dir),
        All = until(400, fun() -> [length(peer:call(P, erlang, nodes, [], ?WAIT)) || P <- [P1, P2, P3]] =:= [2, 2, 2] end),
        ok = peer:call(P1, global, sync, [], ?WAIT),
        A = peer:call(P1, erlang, spawn, [?MODULE, sleeper, []]),
        B = peer:call(P3, erlang, spawn, [?MODULE, sleeper, []]),
        yes = peer:call(P2, global, register_name, [first, A], ?WAIT),
        yes = peer:call(P3, global, register_name, [second, B], ?WAIT),
        no = peer:call(P1, global, register_name, [second, A], ?WAIT),
        Seen = [[peer:call(P, global, whereis_name, [Name], ?WAIT) || Name <- [first, second]] || P <- [P1, P2, P3]],
        Same = lists:usort(Seen) =:= [[A, B]],
        [kill(P) || P <- [P3]],
        Gone = until(400, fun() ->
            [peer:call(P, global, whereis_name, [second], ?WAIT) || P <- [P1, P2]] =:= [undefined, undefined]
        end),
        Left = peer:call(P2, global, whereis_name, [first], ?WAIT) =:= A,
        [peer:stop(P) || P <- [P1, P2]],
        {All, Same, Gone, Left}
    end).

content(T) -> {atomic, L} = mnesia:transaction(fun() -> mnesia:all_keys(T) end), lists:sort(L).
put(K) -> store(transaction, K).
store(Kind, K) -> mnesia:Kind(fun() -> [ok = mnesia:write({T, K, K}) || {T, _} <- ?TABLES], ok end).

database() -> with(fun database/3).

database(Port, Unique, Dir) ->
    Cluster = [{P1, _}, {P2, _}, {P3, N3}] = three(Port, Unique, Dir),
    Nodes = [N || {_, N} <- Cluster],
    Tables = [T || {T, _} <- ?TABLES],
    ok = peer:call(P1, mnesia, create_schema, [Nodes], ?WAIT),
    Begin = fun(P, Ts) ->
        ok = peer:call(P, mnesia, start, [], ?WAIT),
        ok = peer:call(P, mnesia, wait_for_tables, [Ts, ?WAIT], ?WAIT)
    end,
    [Begin(P, [schema]) || {P, _} <- Cluster],
    [{atomic, ok} = peer:call(P1, mnesia, create_table, [T, [{Kind, Nodes}]], ?WAIT) || {T, Kind} <- ?TABLES],
    [Begin(P, Tables) || {P, _} <- Cluster],
    Leader = self(),
    Writers = [spawn_link(fun() -> Leader ! {self(), confirmed, writer(P, Leader, I, 0, [])} end) || {I, P} <- [{1, P1}, {2, P2}]],
    wrote(60),
    kill(P3),
    wrote(60),
    {P4, N3} = named(Port, Unique ++ "_c", Dir),
    Begin(P4, Tables),
    wrote(60),
    [W ! stop || W <- Writers],
    Confirmed = lists:append([receive {W, confirmed, L} -> L after ?WAIT -> error(late) end || W <- Writers]),
    Missing = fun(Ps, Ts) ->
        lists:usort([length(Confirmed -- peer:call(P, ?MODULE, content, [T], ?WAIT)) || P <- Ps, T <- Ts])
    end,
    First = Missing([P1, P2, P4], Tables),
    [peer:stop(P) || P <- [P1, P2, P4]],
    {length(Confirmed) >= 180, First}.

writer(P, Leader, I, N, Done) ->
    receive stop -> Done
    after 0 ->
        case peer:call(P, ?MODULE, put, [{I, N}], ?WAIT) of
            {atomic, ok} -> Leader ! wrote, writer(P, Leader, I, N + 1, [{I, N} | Done]);
            _ -> writer(P, Leader, I, N + 1, Done)
        end
    end.

%% So many more from now on.
more(N) -> receive wrote -> more(N) after 0 -> wrote(N) end.

wrote(0) -> ok;
wrote(N) -> receive wrote -> wrote(N - 1) after ?WAIT -> error(late) end.

%% ---- every node is killed in turn, and then all at once ----

-define(COUNT, t_cluster_count).

%% Confirmed when it is on the disc of every node, and with it what the writer has done before.
synced(K) ->
    {atomic, ok} = store(sync_transaction, K),
    {[ok, ok, ok], []} = rpc:multicall(mnesia:system_info(db_nodes), mnesia, sync_log, []),
    {atomic, ok}.

bump() -> mnesia:sync_transaction(fun() -> [{_, n, N}] = mnesia:read(?COUNT, n, write), mnesia:write({?COUNT, n, N + 1}) end).
counted() -> {atomic, [{_, n, N}]} = mnesia:transaction(fun() -> mnesia:read(?COUNT, n) end), N.

%% Writes by a node as long as that is there, and goes on with the one that takes its place.
steady(P, Leader, F, I, N, Done, Bumps) ->
    receive
        {stop, M} -> Leader ! {M, Done, Bumps};
        {peer, P1} -> steady(P1, Leader, F, I, N, Done, Bumps)
    after 0 ->
        {Asked, Bumped} = Bumps,
        case catch {peer:call(P, ?MODULE, bump, [], ?WAIT), peer:call(P, ?MODULE, F, [{I, N}], ?WAIT)} of
            {B, {atomic, ok}} ->
                Leader ! wrote,
                Now = Bumped + case B of {atomic, ok} -> 1; _ -> 0 end,
                steady(P, Leader, F, I, N + 1, [{I, N} | Done], {Asked + 1, Now});
            {'EXIT', _} ->
                %% The node is gone, or has not been able to say that all is on discs.
                timer:sleep(10),
                steady(P, Leader, F, I, N + 1, Done, {Asked + 1, Bumped});
            _ ->
                steady(P, Leader, F, I, N + 1, Done, {Asked + 1, Bumped})
        end
    end.

writers(Cluster, F, First) ->
    Leader = self(),
    [spawn_link(fun() -> steady(P, Leader, F, I, 0, [], {0, 0}) end) || {I, {P, _}} <- lists:enumerate(First, Cluster)].

%% What they have confirmed.
stopped(Writers) ->
    [begin
        M = monitor(process, W),
        W ! {stop, M},
        receive {M, Done, Bumps} -> {Done, Bumps}; {'DOWN', M, _, _, Why} -> error(Why) after ?WAIT -> error(late) end
    end || W <- Writers].

%% Starts the database of nodes at once, and waits for its tables.
begun(Peers, Tables) ->
    Begin = fun(P) -> ok = peer:call(P, mnesia, start, [], ?WAIT), ok = peer:call(P, mnesia, wait_for_tables, [Tables, ?WAIT], ?WAIT) end,
    All = [spawn_monitor(fun() -> exit({begun, Begin(P)}) end) || P <- Peers],
    [receive {'DOWN', M, process, P, {begun, ok}} -> ok; {'DOWN', M, process, P, Why} -> error(Why) end || {P, M} <- All].

killed(Kinds) -> with(fun(Port, Unique, Dir) -> killed(Kinds, Port, Unique, Dir) end).

killed(Kinds, Port, Unique, Dir) ->
    Cluster = three(Kinds, Port, Unique, Dir),
    Nodes = [N || {_, N} <- Cluster],
    Peers = [P || {P, _} <- Cluster],
    Tables = [?COUNT | [T || {T, _} <- ?TABLES]],
    ok = peer:call(hd(Peers), mnesia, create_schema, [Nodes], ?WAIT),
    begun(Peers, [schema]),
    [{atomic, ok} = peer:call(hd(Peers), mnesia, create_table, [T, [{Kind, Nodes}]], ?WAIT) || {T, Kind} <- [{?COUNT, disc_copies} | ?TABLES]],
    begun(Peers, Tables),
    ok = peer:call(hd(Peers), mnesia, dirty_write, [{?COUNT, n, 0}], ?WAIT),
    Again = fun(I) -> {P, _} = named(lists:nth(I, Kinds), Port, Unique ++ [$_, $a + I - 1], Dir), P end,
    %% Each in turn: the others know what it has missed.
    Writers = writers(Cluster, put, 1),
    Turn = fun(I, Ps) ->
        more(40),
        kill(lists:nth(I, Ps)),
        more(20),
        P = Again(I),
        begun([P], Tables),
        lists:nth(I, Writers) ! {peer, P},
        more(40),
        lists:sublist(Ps, I - 1) ++ [P | lists:nthtail(I, Ps)]
    end,
    Second = lists:foldl(Turn, Peers, [3, 1, 2]),
    First = stopped(Writers),
    Kept = {kept(Second, First, ?TABLES), count(Second, First)},
    %% All at once, while they write. What of the last transactions is in tables of the kind `disc_copies` differs from time to time, on
    %% BEAM too; but all nodes agree.
    [dumped = peer:call(P, mnesia, dump_log, [], ?WAIT) || P <- Second],
    Others = writers(lists:zip(Second, Nodes), synced, 4),
    more(60),
    kill_all(Second),
    Then = stopped(Others),
    Third = [Again(I) || I <- [1, 2, 3]],
    begun(Third, Tables),
    Loaded = {kept(Third, First ++ Then, [lists:keyfind(disc_only_copies, 2, ?TABLES)]), same(Third, Tables)},
    %% All at once, when nobody writes.
    Quiet = writers(lists:zip(Third, Nodes), synced, 7),
    more(60),
    Last = stopped(Quiet),
    kill_all(Third),
    Fourth = [Again(I) || I <- [1, 2, 3]],
    begun(Fourth, Tables),
    Result = {Kept, Loaded, kept(Fourth, Last, tl(?TABLES)), same(Fourth, Tables)},
    [peer:stop(P) || P <- Fourth],
    Result.

kill_all(Peers) -> os:cmd("kill -9 " ++ lists:join($\s, [peer:call(P, os, getpid, [], ?WAIT) || P <- Peers])).

%% Everything that was confirmed is in these tables of all nodes.
kept(Peers, Written, Tables) ->
    Confirmed = lists:append([Done || {Done, _} <- Written]),
    Missing = [length(Confirmed -- peer:call(P, ?MODULE, content, [T], ?WAIT)) || {T, _} <- Tables, P <- Peers],
    {length(Confirmed) >= 60, lists:usort(Missing)}.

%% All nodes hold the same.
same(Peers, Tables) -> lists:usort([length(lists:usort([peer:call(P, ?MODULE, content, [T], ?WAIT) || P <- Peers])) || T <- Tables]).

%% The counter has been raised as often as was confirmed, or also where somebody has not heard of it.
count(Peers, Written) ->
    [Asked, Confirmed] = [lists:sum([element(I, Bumps) || {_, Bumps} <- Written]) || I <- [1, 2]],
    case lists:usort([peer:call(P, ?MODULE, counted, [], ?WAIT) || P <- Peers]) of
        [N] when N >= Confirmed, N =< Asked -> right;
        Counts -> {Confirmed, Counts, Asked}
    end.

%% A node that gets its name from the first one that it is connected to.
dynamic_name() ->
    with(fun(Port, Unique, Dir) ->
        ok = filelib:ensure_dir(filename:join(Dir, "x")),
        {PA, A} = named(Port, Unique, Dir),
        {PB, _} = start(self, Port, ["-sname", "undefined@localhost"]),
        R = peer:call(PB, ?MODULE, unnamed, [A], ?WAIT),
        [peer:stop(P) || P <- [PB, PA]],
        R
    end).

news(Me, A) -> lists:sort([receive {What, N, L} -> {What, case N of Me -> me; A -> other; _ -> N end, L} after 30000 -> none end || _ <- [1, 2]]).

unnamed(A) ->
    %% Without a name nothing is connected by itself.
    true = monitor_node(A, true),
    receive {nodedown, A} -> ok after ?WAIT -> error(late) end,
    M = monitor(process, {nobody, A}),
    Why = receive {'DOWN', M, process, {nobody, A}, W} -> W after ?WAIT -> late end,
    Before = {node(), is_alive(), maps:get(name_type, net_kernel:get_state()), nodes(), Why},
    ok = net_kernel:monitor_nodes(true, [{node_type, all}]),
    Connected = net_kernel:connect_node(A),
    Me = node(),
    Up = news(Me, A),
    Named = {Me =/= nonode@nohost, nodes(), nodes(hidden) =:= [A], maps:get(name, net_kernel:get_state()) =:= Me},
    true = net_kernel:disconnect(A),
    Down = news(Me, A),
    After = {node(), nodes(hidden)},
    {Before, Connected, Up, Named, Down, After}.

cases() -> [{C, F} || {C, F} <- [{global, fun global_names/0}, {dynamic_name, fun dynamic_name/0}, {mnesia, fun database/0},
    {mnesia_killed, fun() -> killed([self, self, self]) end}, {mnesia_killed_mixed, fun() -> killed([self, beam, self]) end}]].
