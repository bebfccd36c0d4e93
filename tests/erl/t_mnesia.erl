%% A database of three nodes that are killed while they write, one after the other and all at once: what was confirmed is there afterwards.
%% The nodes are peers of the machine under test and, where it says so, the release's own BEAM.
%% modes: plain
%% releases: 27
%% limit: 600
-module(t_mnesia).
-export([content/1, put/1, synced/1, bump/0, counted/0]).
-include("diff.hrl").

-define(WAIT, 120000).
-define(TABLES, [{t_mnesia_ram, ram_copies}, {t_mnesia_disc, disc_copies}, {t_mnesia_only, disc_only_copies}]).
-include("peers.hrl").
-include("cluster.hrl").

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

-define(COUNT, t_mnesia_count).

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

cases() ->
    [{one_killed, fun database/0},
     {all_killed, fun() -> killed([self, self, self]) end},
     {all_killed_mixed, fun() -> killed([self, beam, self]) end}].
