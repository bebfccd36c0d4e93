%% Shared by the suites whose nodes are connected by way of a proxy, which cuts the connections, holds them up and takes them to
%% pieces. The proxy runs in the node that leads; the modules of such suites are what the nodes have in the place of epmd, and export
%% what that takes. Nodes are called by the last letter of their names.

%% ---- what net_kernel asks an epmd for ----

start_link() -> ignore.
register_node(_, Port) -> persistent_term:put(?MODULE, Port), {ok, 4 + rand:uniform(1 bsl 20)}.
register_node(Name, Port, _) -> register_node(Name, Port).
address_please(Name, _, _) -> {ok, {127, 0, 0, 1}, led_to(Name), 6}.
port_please(Name, _) -> {port, led_to(Name), 6}.
port_please(Name, Host, _) -> port_please(Name, Host).
listen_port_please(_, _) -> {ok, 0}.
names(_) -> {error, address}.

%% Where connections to a node are made from this one.
led_to(Name) when is_atom(Name) -> led_to(atom_to_list(Name));
led_to(Name) ->
    {ok, All} = init:get_argument(proxy),
    [Port] = [P || [C, P] <- All, C =:= [lists:last(Name)]],
    list_to_integer(Port).

%% The port that this node listens at.
listens() -> persistent_term:get(?MODULE).

%% ---- the proxy ----

%% The proxy of nodes: a table of what is so far, and of rules. The rule of a way says what becomes of bytes that go from one node to
%% another by a connection that one of them has made:
%%   open            they pass
%%   held            they wait until there is another rule
%%   {pieces, N}     they pass N at a time
%%   {cut, N}        N more pass, and then the connection ends
%%   {reset, N}      the same, with a reset
%%   refused         a connection is not made at all
proxy(Letters) ->
    Net = ets:new(proxy, [public]),
    [begin
        {ok, L} = gen_tcp:listen(0, [binary, {ip, {127, 0, 0, 1}}, {active, false}, {reuseaddr, true}, {nodelay, true}]),
        {ok, Port} = inet:port(L),
        ets:insert(Net, [{{port, X, Y}, Port}, {{rule, X, Y, X}, open}, {{rule, Y, X, X}, open}]),
        P = spawn_link(fun() -> receive go -> accepts(L, Net, X, Y) end end),
        ok = gen_tcp:controlling_process(L, P),
        P ! go
    end || X <- Letters, Y <- Letters, X =/= Y],
    Net.

%% The arguments of a node that is to use it.
proxy_arguments(Net, X) ->
    lists:append([["-proxy", [Y], integer_to_list(P)] || [Y, P] <- lists:sort(ets:match(Net, {{port, X, '$1'}, '$2'}))])
        ++ ["-epmd_module", atom_to_list(?MODULE), "-start_epmd", "false"].

accepts(L, Net, X, Y) ->
    {ok, S} = gen_tcp:accept(L),
    Refused = ets:lookup_element(Net, {rule, X, Y, X}, 2) =:= refused,
    case ets:lookup(Net, {listens, Y}) of
        [{_, Port}] when not Refused -> connects(S, Port, Net, X, Y);
        _ -> gen_tcp:close(S)
    end,
    count(Net, {connections, X, Y}),
    accepts(L, Net, X, Y).

connects(S, Port, Net, X, Y) ->
    case gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, false}, {nodelay, true}]) of
        {ok, T} ->
            Relays = [spawn(fun() -> receive {go, Other} -> link(Other), relay(Net, Way, From, To) end end)
                || {Way, From, To} <- [{{X, Y, X}, S, T}, {{Y, X, X}, T, S}]],
            [ok = gen_tcp:controlling_process(O, R) || {O, R} <- lists:zip([S, T], Relays)],
            [R ! {go, Other} || {R, Other} <- lists:zip(Relays, lists:reverse(Relays))];
        {error, _} ->
            gen_tcp:close(S)
    end.

count(Net, Key) -> ets:update_counter(Net, Key, 1, {Key, 0}).
counted(Net, Key) -> case ets:lookup(Net, Key) of [{_, N}] -> N; [] -> 0 end.

%% It is noted before it looks for its rule, and a new rule is in the table before those who are noted are told.
relay(Net, {From, To, By}, S, T) ->
    ets:insert(Net, {{relay, From, To, By, self()}}),
    passes(ets:lookup_element(Net, {rule, From, To, By}, 2), {Net, {From, To, By}}, S, T).

passes(Rule, Of, S, T) ->
    Rule =:= held orelse inet:setopts(S, [{active, once}]),
    receive
        {rule, Leader, M, New} ->
            Leader ! {M, ok},
            passes(New, Of, S, T);
        {tcp, S, D} when Rule =:= held ->
            receive {rule, Leader, M, New} -> Leader ! {M, ok}, passes(pass(New, Of, S, T, D), Of, S, T) end;
        {tcp, S, D} ->
            passes(pass(Rule, Of, S, T, D), Of, S, T);
        _ ->
            ends(closed, Of, S, T)
    end.

pass(open, _, _, T, D) -> gen_tcp:send(T, D), open;
pass(held, Of, S, T, D) -> receive {rule, Leader, M, New} -> Leader ! {M, ok}, pass(New, Of, S, T, D) end;
pass({pieces, N}, _, _, T, D) -> pieces(N, T, D), {pieces, N};
pass({What, N}, _, _, T, D) when byte_size(D) < N -> gen_tcp:send(T, D), {What, N - byte_size(D)};
pass({What, N}, Of, S, T, D) -> gen_tcp:send(T, binary:part(D, 0, N)), ends(What, Of, S, T);
pass(refused, Of, S, T, _) -> ends(cut, Of, S, T).

pieces(N, T, D) when byte_size(D) > N ->
    <<Piece:N/binary, Rest/binary>> = D,
    gen_tcp:send(T, Piece),
    pieces(N, T, Rest);
pieces(_, T, D) ->
    gen_tcp:send(T, D).

ends(What, {Net, {From, To, By}}, S, T) ->
    What =:= reset andalso [inet:setopts(X, [{linger, {true, 0}}]) || X <- [S, T]],
    [gen_tcp:close(X) || X <- [S, T]],
    %% Who leads, and the table with it, may be gone.
    catch begin
        ets:delete(Net, {relay, From, To, By, self()}),
        count(Net, {ended, What, From, To})
    end,
    exit(ended).

%% A rule for all connections between two nodes, or for those that one of them makes. It holds when this returns.
rule(Net, From, To, Rule) -> [rule(Net, From, To, By, Rule) || By <- [From, To]].

rule(Net, From, To, By, Rule) -> future_rule(Net, From, To, By, Rule), present_rule(Net, From, To, By, Rule).

%% For those that are made from now on.
future_rule(Net, From, To, By, Rule) -> ets:insert(Net, {{rule, From, To, By}, Rule}).

%% For those that there are.
present_rule(Net, From, To, By, Rule) ->
    [begin
        M = monitor(process, P),
        P ! {rule, self(), M, Rule},
        receive {M, ok} -> erlang:demonitor(M, [flush]); {'DOWN', M, _, _, _} -> ok end
    end || [P] <- ets:match(Net, {{relay, From, To, By, '$1'}})].
