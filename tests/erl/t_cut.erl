%% Two nodes whose connection goes through a proxy that cuts it after some bytes, at every stage: while it is made, and in the
%% middle of what is sent. The nodes are peers of the machine under test, led over their standard input; this module tells them
%% the ports, in the place of epmd.
%% modes: plain
%% releases: 27
-module(t_cut).
-export([start_link/0, register_node/2, register_node/3, port_please/2, port_please/3, address_please/3, listen_port_please/2, names/1]).
-export([attempt/1, afterwards/1, flood/2, forward/1]).
-include("diff.hrl").

-define(WAIT, 60000).
-include("peers.hrl").

%% ---- what net_kernel asks an epmd for ----

start_link() -> ignore.
register_node(_, _) -> {ok, 4 + rand:uniform(1 bsl 20)}.
register_node(Name, Port, _) -> register_node(Name, Port).
address_please(_, _, _) -> {ok, {127, 0, 0, 1}, argument(t_cut_connect), 6}.
port_please(_, _) -> {port, argument(t_cut_connect), 6}.
port_please(Name, Host, _) -> port_please(Name, Host).
listen_port_please(_, _) -> {ok, argument(t_cut_listen)}.
names(_) -> {error, address}.

argument(Name) ->
    {ok, [[Port] | _]} = init:get_argument(Name),
    list_to_integer(Port).

%% ---- in the first node; B is the other one ----

%% Connects, and sends both ways until the connection is gone.
attempt(B) ->
    {P, M} = spawn_monitor(fun() ->
        process_flag(trap_exit, true),
        net_kernel:connect_node(B),
        Monitor = monitor(process, {rex, B}),
        L = spawn_link(B, ?MODULE, forward, [self()]),
        Asked = spawn_request(B, ?MODULE, flood, [self(), 20]),
        flood(L, 20),
        exit({gone, down(Monitor), linked(L), answered(Asked)})
    end),
    receive {'DOWN', M, process, P, {gone, Down, Linked, Answered}} -> {Down, Linked, Answered}; {'DOWN', M, process, P, Why} -> {died, Why} after ?WAIT -> hangs end.

down(M) -> receive {'DOWN', M, process, _, Why} -> Why after 30000 -> stays end.
linked(L) -> receive {'EXIT', L, Why} -> Why after 30000 -> stays end.
%% Whether the request was answered before the connection was cut depends on where.
answered(R) -> receive {spawn_reply, R, ok, P} when is_pid(P) -> answered; {spawn_reply, R, error, noconnection} -> answered after 30000 -> never end.

flood(_, 0) -> ok;
flood(To, N) -> To ! binary:copy(<<N>>, 30000), flood(To, N - 1).

forward(To) -> receive X -> To ! X, forward(To) end.

%% The connection can be made again, and nothing of the old one is left.
afterwards(B) ->
    {P, M} = spawn_monitor(fun() ->
        Connected = net_kernel:connect_node(B),
        Q = spawn(B, ?MODULE, forward, [self()]),
        Data = binary:copy(<<"0123456789">>, 30000),
        Q ! Data,
        Same = receive X -> X =:= Data after 30000 -> late end,
        exit({done, Connected, Same, nodes() =:= [B], erpc:call(B, erlang, nodes, []) =:= [node()], erlang:disconnect_node(B)})
    end),
    receive {'DOWN', M, process, P, R} -> R after ?WAIT -> hangs end.

%% ---- in the node that leads ----

start(Name, Listen, Connect) ->
    {ok, Peer, _} = peer:start(#{
        connection => standard_io,
        exec => machine(self),
        wait_boot => ?WAIT,
        args => ["-pa", filename:dirname(code:which(?MODULE)), "-epmd_module", atom_to_list(?MODULE), "-start_epmd", "false",
            "-t_cut_listen", integer_to_list(Listen), "-t_cut_connect", integer_to_list(Connect), "-setcookie", "t_cut",
            "-kernel", "prevent_overlapping_partitions", "false", "-sname", Name ++ "@localhost"]
    }),
    {Peer, peer:call(Peer, erlang, node, [], ?WAIT)}.

%% Connections to the first port are led to the second one. `Rules` has how many bytes may pass each way.
proxy(Listen, To, Rules) ->
    {ok, L} = gen_tcp:listen(Listen, [binary, {ip, {127, 0, 0, 1}}, {active, false}, {reuseaddr, true}]),
    accept(L, To, Rules).

accept(L, To, Rules) ->
    {ok, S} = gen_tcp:accept(L),
    case gen_tcp:connect({127, 0, 0, 1}, To, [binary, {active, false}]) of
        {ok, T} ->
            [{rule, There, Back}] = ets:lookup(Rules, rule),
            relay(S, T, There),
            relay(T, S, Back);
        {error, _} ->
            gen_tcp:close(S)
    end,
    accept(L, To, Rules).

relay(From, To, Left) -> spawn(fun() -> pass(From, To, Left), gen_tcp:close(From), gen_tcp:close(To) end).

pass(_, _, 0) -> ok;
pass(From, To, Left) ->
    case gen_tcp:recv(From, 0) of
        {ok, D} when byte_size(D) < Left -> gen_tcp:send(To, D), pass(From, To, left(Left, byte_size(D)));
        {ok, D} -> gen_tcp:send(To, binary:part(D, 0, Left));
        {error, _} -> ok
    end.

left(infinity, _) -> infinity;
left(N, M) -> N - M.

cut(Bytes) ->
    {P, M} = spawn_monitor(fun() -> exit({value, cut_all(Bytes)}) end),
    receive {'DOWN', M, process, P, {value, V}} -> V; {'DOWN', M, process, P, Why} -> {died, Why} after 3 * ?WAIT -> hangs end.

cut_all(Bytes) ->
    %% Nobody listens at the last one: the second node connects to nobody.
    [A, B, X, None] = [free_port() || _ <- lists:seq(1, 4)],
    Rules = ets:new(rules, [public]),
    spawn_link(fun() -> proxy(X, B, Rules) end),
    Unique = os:getpid() ++ "_" ++ integer_to_list(erlang:unique_integer([positive])),
    {PA, _} = start("t_cut_a" ++ Unique, A, X),
    {PB, NB} = start("t_cut_b" ++ Unique, B, None),
    Results = [begin
        ets:insert(Rules, {rule, There, Back}),
        Gone = peer:call(PA, ?MODULE, attempt, [NB], 3 * ?WAIT),
        ets:insert(Rules, {rule, infinity, infinity}),
        {Gone, until(200, fun() -> peer:call(PA, ?MODULE, afterwards, [NB], ?WAIT) end)}
    end || {There, Back} <- Bytes],
    [peer:stop(P) || P <- [PA, PB]],
    %% An attempt hangs now and then when the first bytes are cut, on BEAM as well.
    lists:usort([R || R <- Results, R =/= {hangs, ok}]).

%% The other node may still think that the old connection is there.
until(0, _) -> late;
until(N, F) ->
    case F() of
        {done, true, true, true, true, true} -> ok;
        _ -> receive after 50 -> until(N - 1, F) end
    end.

cases() ->
    Early = [0, 1, 2, 7, 20, 35, 50, 65, 80, 120, 200],
    Late = [400, 1000, 5000, 40000, 100000, 300000],
    [{made_there, fun() -> cut([{N, infinity} || N <- Early]) end},
     {made_back, fun() -> cut([{infinity, N} || N <- Early]) end},
     {used_there, fun() -> cut([{N, infinity} || N <- Late]) end},
     {used_back, fun() -> cut([{infinity, N} || N <- Late]) end}].
