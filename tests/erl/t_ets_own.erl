%% Who owns tables, who inherits them, what they are called and what is told of them.
-module(t_ets_own).
-include("diff.hrl").

server() ->
    receive
        {do, From, F} -> From ! {done, self(), result(F)}, server();
        stop -> ok
    end.

result(F) ->
    try F() of
        V -> V
    catch
        C:R:S -> {C, R, top(S)}
    end.

start() -> spawn(fun server/0).
do(P, F) -> P ! {do, self(), F}, receive {done, P, V} -> V end.
stop(P) -> M = monitor(process, P), P ! stop, receive {'DOWN', M, _, _, _} -> ok end.
gone() -> P = start(), stop(P), P.
%% What P has been told, after all that was sent before.
told(P) -> do(P, fun() -> mail() end).
mail() -> receive {'ETS-TRANSFER', _, _, _} = M -> [M | mail()] after 0 -> [] end.

%% Processes by names of theirs, in what is printed.
as(Names, X) ->
    case lists:keyfind(X, 2, Names) of
        {Name, _} -> Name;
        false when is_tuple(X) -> list_to_tuple([as(Names, E) || E <- tuple_to_list(X)]);
        false when is_list(X) -> [as(Names, E) || E <- X];
        false when is_reference(X) -> reference;
        false -> X
    end.

owners(Names, Tables) -> as(Names, [{T, ets:info(T, owner), ets:info(T, heir)} || T <- Tables]).

setopts() -> [[], [{heir, none}], {heir, none}, {heir, self(), data}, [{heir, self(), d}, {heir, none}], [{protection, private}], {protection, public}, [{protection, foo}], {heir, x, y}, foo, [{protection, public}, {protection, public}], [{protection, public} | x], {keypos, 2}, {heir, none, 1}, {heir}, {named_table, true}, {heir, gone(), x}].

cases() ->
    [{rename, fun() -> [ets:new(N, [named_table, public]) || N <- [ren_a, ren_b]], U = ets:new(ren_u, []), R = [as([{u, U}], c(F)) || F <- [fun() -> ets:rename(ren_a, ren_a) end, fun() -> ets:rename(ren_a, ren_b) end, fun() -> ets:rename(ren_a, ren_c) end, fun() -> ets:info(ren_a) end, fun() -> ets:insert(ren_a, {1}) end, fun() -> ets:insert(ren_c, {1}) end, fun() -> ets:rename(U, ren_b) end, fun() -> ets:info(U, name) end, fun() -> ets:rename(ren_c, id(1)) end, fun() -> ets:rename(no_such_table, id(1)) end, fun() -> ets:rename(id(1), x) end, fun() -> ets:rename(ets:whereis(ren_c), ren_d) end, fun() -> ets:whereis(ren_c) end, fun() -> ets:info(ren_d, name) end, fun() -> ets:new(ren_d, [named_table]) end, fun() -> ets:new(undefined, [named_table]) end]], [catch ets:delete(T) || T <- [ren_b, ren_d, undefined]], R end},
     {rename_others, fun() -> P = start(), Ts = [ets:new(N, [named_table, A]) || {N, A} <- [{ro_a, public}, {ro_b, protected}, {ro_c, private}]], R = [do(P, fun() -> ets:rename(T, list_to_atom(atom_to_list(T) ++ "2")) end) || T <- Ts], [catch ets:delete(T) || T <- [ro_a2 | Ts]], R end},
     {setopts, fun() -> P = start(), [begin T = ets:new(t, [public]), Q = ets:new(t, []), R = {as([{me, self()}], O), c(fun() -> ets:setopts(T, O) end), as([{me, self()}], {ets:info(T, protection), ets:info(T, heir)}), as([], do(P, fun() -> ets:setopts(T, O) end)), do(P, fun() -> ets:setopts(Q, O) end)}, setelement(1, R, ok) end || O <- tl(lists:droplast(setopts()))] end},
     {setopts_none, fun() -> [c(fun() -> ets:setopts(no_such_table, O) end) || O <- [[], foo]] end},
     {dead_heirs, fun() -> D = gone(), T = ets:new(t, [{heir, D, x}]), A = ets:info(T, heir), ets:setopts(T, {heir, self(), x}), B = ets:info(T, heir) =:= self(), ets:setopts(T, {heir, D, y}), [A, B, ets:info(T, heir)] end},
     {give_away_errors, fun() -> P = start(), T = ets:new(t, [public]), Q = ets:new(t, []), D = gone(), [c(fun() -> ets:give_away(Tab, To, x) end) || {Tab, To} <- [{T, self()}, {T, id(foo)}, {T, D}, {no_such_table, D}, {id(1), P}]] ++ [do(P, fun() -> ets:give_away(Tab, To, x) end) || Tab <- [T, Q], To <- [P, self()]] end},
     {give_away, fun() -> P = start(), Q = start(), N = [{p, P}, {q, Q}, {me, self()}], T = ets:new(ga, [named_table]), U = ets:new(u, []), ets:give_away(T, P, {gift, 1}), ets:give_away(U, P, unnamed), A = owners(N, [T]), B = [as(N, result(F)) || F <- [fun() -> ets:insert(T, {1}) end, fun() -> ets:lookup(T, a) end, fun() -> ets:give_away(T, Q, x) end]], C = as(N, told(P)), do(P, fun() -> ets:give_away(T, Q, again) end), D = as(N, told(Q)), stop(P), E = owners(N, [T, U]), stop(Q), [A, B, C, D, E, owners(N, [T])] end},
     {inheritance, fun() ->
         A = start(), B = start(), C = start(), N = [{a, A}, {b, B}, {c, C}, {me, self()}], Ts = [in_1, in_2, in_22, in_3, in_4, in_5, in_6],
         do(A, fun() -> [ets:new(T, [named_table, public, {heir, B, {data, T}}]) || T <- [in_1, in_2, in_3]], ets:new(in_4, [named_table, {heir, A, x}]), ets:new(in_5, [named_table]), ets:new(in_6, [named_table, {heir, B, six}]), ets:rename(in_2, in_22), ets:setopts(in_6, {heir, none}), ets:safe_fixtable(in_1, true) end),
         R1 = case ets:info(in_1, safe_fixed) of {_, By} -> as(N, By) end, stop(A),
         R2 = [owners(N, Ts), ets:info(in_1, safe_fixed), as(N, told(B))],
         do(B, fun() -> ets:setopts(in_1, {heir, C, from_b}), ets:give_away(in_3, C, given) end),
         R3 = owners(N, Ts), stop(C),
         R4 = [owners(N, Ts), as(N, told(B))], stop(B),
         [R1, R2, R3, R4, owners(N, Ts)] end},
     {order_of_inheritance, fun() ->
         Me = self(), A = start(),
         [ets:new(T, [named_table]) || T <- [oo_1, oo_2, oo_3, oo_4]],
         do(A, fun() -> [ets:new(T, [named_table, {heir, Me, T}]) || T <- [op_1, op_2]] end),
         ets:give_away(oo_3, A, x), ets:give_away(oo_1, A, x),
         do(A, fun() -> ets:new(op_3, [named_table, {heir, Me, op_3}]) end), ets:give_away(oo_4, A, x),
         do(A, fun() -> [ets:setopts(T, {heir, Me, T}) || T <- [oo_1, oo_3, oo_4]] end), stop(A),
         R = [D || {'ETS-TRANSFER', _, _, D} <- mail()], [ets:delete(T) || T <- [oo_2 | R]], R end},
     {owner_deletes_by_other, fun() -> P = start(), T = do(P, fun() -> ets:new(t, [public]) end), ets:insert(T, {1}), R = do(start(), fun() -> ets:delete(T) end), [R, ets:info(T), as([], cr(fun() -> ets:insert(T, {1}) end))] end},
     {info_items, fun() -> [begin T = ets:new(t, O), ets:insert(T, {1, 2}), {O, [{I, as([{me, self()}], result(fun() -> ets:info(T, I) end))} || I <- [decentralized_counters, read_concurrency, write_concurrency, compressed, owner, heir, name, size, node, named_table, type, keypos, protection, fixed, binary, safe_fixed, safe_fixed_monotonic_time]], [K || {K, _} <- ets:info(T)]} end
         || O <- [[], [bag], [ordered_set], [private, {write_concurrency, true}], [public, {write_concurrency, true}], [ordered_set, {write_concurrency, true}, public], [ordered_set, {write_concurrency, auto}, {decentralized_counters, false}], [{write_concurrency, auto}], [{decentralized_counters, true}], [{decentralized_counters, true}, {write_concurrency, true}],
                  [compressed, {read_concurrency, true}], [private, {read_concurrency, true}], [{write_concurrency, auto}, {write_concurrency, true}], [{write_concurrency, true}, {write_concurrency, auto}, {write_concurrency, false}], [ordered_set, set, {write_concurrency, true}], [{write_concurrency, true}, ordered_set], [bag, set, public, protected]]] end},
     {info_errors, fun() -> [cr(fun() -> ets:info(id(X), Y) end) || X <- [1, no_such_table, "x", self()], Y <- [size, foo, 1]] ++ [cr(fun() -> ets:info(id(X)) end) || X <- [1, no_such_table, "x"]] ++ [cr(fun() -> ets:info(ets:new(t, []), Y) end) || Y <- [foo, 1, {size}]] end},
     {new_errors, fun() -> [cr(fun() -> is_reference(ets:new(x, id(O))) end) || O <- [foo, [foo], [{keypos, 0}], [{keypos, -1}], [{keypos, a}], [{keypos, 1 bsl 40}], [{keypos, 1 bsl 70}], [{heir, none}], [{heir, self(), 1}], [{heir, foo, 1}], [{write_concurrency, 1}], [{write_concurrency, {a, 1}}], [{write_concurrency, {debug_hash_fixed_number_of_locks, 0}}], [{write_concurrency, {debug_hash_fixed_number_of_locks, 32769}}], [ordered_set, {write_concurrency, {debug_hash_fixed_number_of_locks, 64}}], [{read_concurrency, 1}], [{decentralized_counters, 1}], [set | bag], [{set, true}], [{compressed}], [{named_table, true}], [{keypos, 1, 2}], [{heir, none, 1}]]] ++ [c(fun() -> ets:new(id(N), []) end) || N <- [1, "x", <<"x">>]] end},
     {fixations, fun() -> T = ets:new(t, []), A = [cr(fun() -> ets:safe_fixtable(T, id(X)) end) || X <- [1, foo, false]], ets:safe_fixtable(T, true), ets:safe_fixtable(T, true), {_, By} = ets:info(T, safe_fixed), {_, By2} = ets:info(T, safe_fixed_monotonic_time), B = as([{me, self()}], {By, By2}), ets:safe_fixtable(T, false), C = ets:info(T, fixed), ets:safe_fixtable(T, false), [A, B, C, ets:info(T, fixed), ets:info(T, safe_fixed)] end},
     {whereis, fun() -> [cr(fun() -> ets:whereis(id(X)) end) || X <- [no_such_table, 1, "x"]] end}].

