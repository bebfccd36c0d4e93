%% Tuples and records.
-module(t_tuple).
-export([mk/1]).
-include("diff.hrl").
-record(p, {x = 1, y = default, z}).
-record(q, {p = #p{}, l = []}).

mk(N) -> list_to_tuple(lists:seq(1, N)).

upd(R) -> R#p{x = 10, z = 30}.
isp(R) when is_record(R, p) -> yes;
isp(_) -> no.

size_class(T) when tuple_size(T) =:= 0 -> empty;
size_class(T) when tuple_size(T) < 4 -> small;
size_class(T) when is_tuple(T) -> large;
size_class(_) -> none.

cases() ->
    [{element, fun() -> [element(id(1), id({a, b})), element(2, id({a, b}))] end},
     {element_bad, fun() -> [c(fun() -> element(id(I), id({a, b})) end) || I <- [0, 3, -1, a, 1.0, 1 bsl 70]] ++ [c(fun() -> element(1, id(a)) end)] end},
     {setelement, fun() -> [setelement(id(1), id({a, b}), c), setelement(2, id({a, b}), {x})] end},
     {setelement_bad, fun() -> [c(fun() -> setelement(id(I), id({a, b}), x) end) || I <- [0, 3, -1, a]] ++ [c(fun() -> setelement(1, id([]), x) end)] end},
     {setelement_copy, fun() -> T = id({1, 2, 3}), _ = setelement(1, T, x), T end},
     {setelement_chain, fun() -> T = id({1, 2, 3, 4}), setelement(1, setelement(3, setelement(4, T, d), c), a) end},
     {tuple_size, fun() -> [tuple_size(id(T)) || T <- [{}, {1}, mk(100)]] ++ [size(id({1, 2}))] end},
     {tuple_size_bad, fun() -> [c(fun() -> tuple_size(id(X)) end) || X <- [a, [], #{}]] end},
     {make_tuple, fun() -> [erlang:make_tuple(3, x), erlang:make_tuple(4, d, [{2, b}, {4, e}, {2, c}]), erlang:make_tuple(0, a)] end},
     {make_tuple_bad, fun() -> [c(fun() -> erlang:make_tuple(id(-1), x) end), c(fun() -> erlang:make_tuple(2, x, id([{3, y}])) end), c(fun() -> erlang:make_tuple(2, x, id([{1, y} | z])) end), c(fun() -> erlang:make_tuple(id(1 bsl 28), x) end)] end},
     {append_element, fun() -> [erlang:append_element(id({a}), b), erlang:insert_element(1, id({a, b}), x), erlang:insert_element(3, id({a, b}), x), erlang:delete_element(1, id({a, b}))] end},
     {append_element_bad, fun() -> [c(fun() -> erlang:append_element(id(a), b) end), c(fun() -> erlang:insert_element(id(4), {a, b}, x) end), c(fun() -> erlang:delete_element(id(3), {a, b}) end), c(fun() -> erlang:delete_element(id(1), {}) end)] end},
     {to_list, fun() -> [tuple_to_list(id({})), tuple_to_list(id({1, {2}}))] end},
     {to_list_bad, fun() -> [c(fun() -> tuple_to_list(id([])) end), c(fun() -> list_to_tuple(id([a | b])) end), c(fun() -> list_to_tuple(id(a)) end)] end},
     {large, fun() -> T = mk(100000), {tuple_size(T), element(99999, T), element(5, setelement(5, T, five)), lists:sum(tuple_to_list(T))} end},
     {match, fun() -> [case id(T) of {} -> none; {X} -> {one, X}; {a, X} -> {a, X}; {X, X} -> {same, X}; {_, _} -> two; _ -> more end || T <- [{}, {1}, {a, 2}, {b, b}, {1, 1.0}, {1, 2, 3}]] end},
     {nested_match, fun() -> {A, {B, [C | D]}, #{k := E}} = id({1, {2, [3, 4]}, #{k => 5}}), [A, B, C, D, E] end},
     {guard_size, fun() -> [size_class(id(X)) || X <- [{}, {1}, {1, 2, 3, 4}, a]] end},
     {equal, fun() -> [id({1, 2}) =:= id({1, 2}), id({1, 2}) == id({1.0, 2}), id({1}) =:= id({1.0})] end},
     {record_default, fun() -> [#p{}, #p{x = 5}, #q{}, #p{_ = any}] end},
     {record_update, fun() -> [upd(id(#p{})), (id(#p{}))#p{y = a}] end},
     {record_update_bad, fun() -> [c(fun() -> upd(id({p, 1})) end), c(fun() -> upd(id({q, 1, 2, 3})) end), c(fun() -> (id(a))#p{x = 1} end)] end},
     {record_get, fun() -> R = id(#p{x = 7}), [R#p.x, R#p.y, R#p.z, #p.y, ((id(#q{}))#q.p)#p.x] end},
     {record_get_bad, fun() -> [c(fun() -> (id(foo))#p.x end), c(fun() -> (id({p}))#p.x end)] end},
     {is_record, fun() -> [isp(id(X)) || X <- [#p{}, {p, 1, 2, 3}, {p, 1, 2}, {q, 1, 2, 3}, p]] ++ [is_record(id(#p{}), p), is_record(id(#p{}), p, 4), is_record(id({p}), p, 1), is_record(id(a), p)] end},
     {is_record_bad, fun() -> [c(fun() -> is_record(id({a}), id(1)) end), c(fun() -> is_record(id({a}), a, id(-1)) end), c(fun() -> is_record(id({a}), a, id(b)) end)] end},
     {record_info, fun() -> [record_info(fields, p), record_info(size, p)] end},
     {record_nested_update, fun() -> Q = id(#q{}), (Q#q.p)#p{x = deep} end},
     {two_elements, fun() -> [two(id(X)) || X <- [{a, 1, 2}, {b, 1, 2}, {c, {1, 2}}, {d, 1, 2, 3}, {e, {f, [1]}, 2}, [], {}]] end},
     {guard_elements, fun() -> [guards(id(N), id(T)) || N <- [0, 1, 2, 3, -1, a, 1 bsl 70], T <- [{a, b}, {}, [x | y], [], a]] end},
     {is_tuple, fun() -> [is_tuple(id(X)) || X <- [{}, {1}, [], a, #{}, 1]] end},
     {print, fun() -> lists:flatten(io_lib:format("~w ~p", [id({a, {b}, "s", <<1>>}), id(#p{})])) end},
     {literal_vs_dynamic, fun() -> {a, [1, 2], <<"x">>} =:= {id(a), [id(1), 2], <<(id($x))>>} end}].

two({a, X, Y}) -> [Y, X];
two({b, Y, X}) -> {X, Y, self() =:= self()};
two({c, {X, Y}}) -> X - Y;
two({d, X, _, Y}) -> Y - X;
two({e, {T, X}, _}) -> {X, T};
two(X) -> {other, X}.

guards(N, T) when element(N, T) =:= b -> b;
guards(N, T) when tuple_size(T) > N -> {larger, c(fun() -> element(N, T) end)};
guards(_, T) when hd(T) =:= x -> {tl(T), c(fun() -> hd(tl(T)) end)};
guards(N, T) -> [c(fun() -> element(N, T) end), c(fun() -> tuple_size(T) end), c(fun() -> tl(T) end)].
