%% Two nodes whose connection goes through a proxy that cuts it after some bytes, at every stage: while it is made, and in the
%% middle of what is sent. The nodes are peers of the machine under test, led over their standard input.
%% modes: plain
%% releases: 27
-module(t_cut).
-export([start_link/0, register_node/2, register_node/3, port_please/2, port_please/3, address_please/3, listen_port_please/2, names/1, listens/0]).
-export([attempt/1, afterwards/1, flood/2, forward/1]).
-include("diff.hrl").

-define(WAIT, 60000).
-include("peers.hrl").
-include("proxy.hrl").

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

start(Net, Unique, [C] = Letter) ->
    {ok, Peer, _} = peer:start(#{
        connection => standard_io,
        exec => machine(self),
        wait_boot => ?WAIT,
        args => proxy_arguments(Net, C) ++ ["-pa", filename:dirname(code:which(?MODULE)), "-setcookie", "t_cut",
            "-kernel", "prevent_overlapping_partitions", "false", "-sname", "t_cut" ++ Unique ++ "_" ++ Letter ++ "@localhost"]
    }),
    ets:insert(Net, {{listens, C}, peer:call(Peer, ?MODULE, listens, [], ?WAIT)}),
    {Peer, peer:call(Peer, erlang, node, [], ?WAIT)}.

cut(Bytes) ->
    {P, M} = spawn_monitor(fun() -> exit({value, cut_all(Bytes)}) end),
    receive {'DOWN', M, process, P, {value, V}} -> V; {'DOWN', M, process, P, Why} -> {died, Why} after 3 * ?WAIT -> hangs end.

cut_all(Bytes) ->
    Net = proxy("ab"),
    Unique = os:getpid() ++ "_" ++ integer_to_list(erlang:unique_integer([positive])),
    {PA, _} = start(Net, Unique, "a"),
    {PB, NB} = start(Net, Unique, "b"),
    %% The second node connects to nobody.
    future_rule(Net, $b, $a, $b, refused),
    Rules = fun(There, Back) -> [future_rule(Net, X, Y, $a, R) || {X, Y, R} <- [{$a, $b, There}, {$b, $a, Back}]] end,
    Results = [begin
        Rules(There, Back),
        Gone = peer:call(PA, ?MODULE, attempt, [NB], 3 * ?WAIT),
        Rules(open, open),
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
    [{made_there, fun() -> cut([{{cut, N}, open} || N <- Early]) end},
     {made_back, fun() -> cut([{open, {cut, N}} || N <- Early]) end},
     {used_there, fun() -> cut([{{cut, N}, open} || N <- Late]) end},
     {used_back, fun() -> cut([{open, {cut, N}} || N <- Late]) end}].
