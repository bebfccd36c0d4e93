%% Several pairs put into a map at once.
-module(t_map_many).
-include("diff.hrl").

l(M) -> lists:sort(maps:to_list(M)).
m(N) -> maps:from_list([{I, I} || I <- lists:seq(1, N)]).
keyed(L) -> maps:from_list([{K, old} || K <- L]).

ex1(M, X) -> M#{b := X}.
ex3(M, X, Y) -> M#{c := Y, a := X, b := [X | Y]}.
ex_mixed(M, X) -> M#{a := X, 1 := {X}, [] := X, -7 := X}.
ex_boxed(M, X) -> M#{a := X, "s" := 1, {t} := X, 2.5 := 3, <<"b">> := X, 100000000000000000000 := 4}.
ex_many(M, X) -> M#{a := X, b := X, c := X, d := X, e := X, f := X, g := X, h := X, i := X, j := X}.
as1(M, X) -> M#{b => X}.
as3(M, X, Y) -> M#{c => Y, a => X, b => [X | Y]}.
as_mixed(M, X) -> M#{a => X, 1 => {X}, [] => X, -7 => X, 0.0 => X, "l" => X}.
as_ints(M, X) -> M#{1 => X, 2 => X, 3 => X, 5 => X, 8 => X, 40 => X, 41 => X}.
var(M, K, V) -> {M#{K => V}, c(fun() -> M#{K := V} end)}.

in_guard(M) when M#{a := 1} =:= #{a => 1, b => 2} -> both;
in_guard(M) when M#{a => 1} =:= #{a => 1} -> one;
in_guard(_) -> none.

gets(#{a := A, b := B, c := C}) -> {A, B, C};
gets(#{c := C, a := A}) -> {A, C};
gets(#{1 := A, [] := B}) -> {A, B};
gets(#{}) -> map;
gets(_) -> none.

sizes(M) when map_size(M) < 2 -> {few, map_size(M)};
sizes(M) when map_size(M) =:= 33; map_size(M) =:= 32 -> border;
sizes(M) when is_map(M) -> map_size(M) + 1;
sizes(_) -> none.

has(M) when is_map_key(b, M), map_get(b, M) > 1 -> {more, map_get(b, M)};
has(M) when is_map_key(b, M) -> less;
has(M) when not is_map_key(b, M) -> no;
has(_) -> nomap.

makes(X, Y) -> [#{}, #{x => X}, #{y => Y, x => X, {z} => Y, 1 => X}, #{x => #{x => X, y => Y}}].

spin(0, M) -> M;
spin(N, #{a := A, b := B} = M) when N band 1 =:= 0 -> spin(N - 1, M#{b := [A], a := {B}});
spin(N, #{a := A} = M) -> spin(N - 1, M#{a := {N, size_of(A)}, c => N, b := N}).
size_of(T) -> erts_debug:flat_size(T).

cases() ->
    Abc = #{a => 1, b => 2, c => 3},
    [{exact_one, fun() -> [l(ex1(id(M), X)) || M <- [#{b => 1}, Abc, maps:merge(m(50), Abc)], X <- [2, x, 1.5, [1]]] end},
     {exact_three, fun() -> [l(ex3(id(M), X, y)) || M <- [Abc, maps:merge(Abc, #{d => 4, aa => 0}), maps:merge(m(50), Abc)], X <- [1, z]] end},
     {exact_missing, fun() -> [c(fun() -> ex3(id(M), 1, 2) end) || M <- [#{}, #{a => 1, b => 2}, #{d => 1}, m(40), (m(40))#{a => 1, b => 1}, [], x, {1}, 1.0, <<1>>]] end},
     {exact_missing_plain, fun() -> [c(fun() -> ex_mixed(id(M), 1) end) || M <- [#{}, #{a => 1}, #{1 => 1, -7 => 2}, #{a => 1, [] => 3, -7 => 4}, #{1.0 => 1, a => 1, [] => 1, -7 => 1}]] end},
     {exact_mixed, fun() -> l(ex_mixed(id(keyed([a, 1, [], -7, 1.0, b])), new)) end},
     {exact_boxed, fun() -> K = [a, "s", {t}, 2.5, <<"b">>, 100000000000000000000], [l(ex_boxed(id(keyed(K)), new)), l(ex_boxed(id(maps:merge(m(64), keyed(K))), new)), [c(fun() -> ex_boxed(id(keyed(K -- [X])), new) end) || X <- K]] end},
     {exact_many, fun() -> K = [a, b, c, d, e, f, g, h, i, j], [l(ex_many(id(keyed(K)), new)), [c(fun() -> ex_many(id(keyed(K -- [X])), new) end) || X <- K]] end},
     {exact_same, fun() -> M = id(Abc), {erts_debug:same(M, ex1(M, id(2))), erts_debug:same(M, ex1(M, id(3))), l(ex1(M, id(2)))} end},
     {exact_old_is_kept, fun() -> M = id(Abc), N = ex3(M, x, y), {l(M), l(N), erts_debug:same(erts_internal:map_to_tuple_keys(M), erts_internal:map_to_tuple_keys(N))} end},
     {assoc_one, fun() -> [l(as1(id(M), X)) || M <- [#{}, #{b => 1}, #{a => 1}, #{c => 1}, Abc, m(31), m(32), m(33), maps:merge(m(50), Abc)], X <- [2, [1]]] end},
     {assoc_three, fun() -> [l(as3(id(M), x, y)) || M <- [#{}, #{b => 1}, #{a => 1, d => 4}, Abc, m(29), m(30), m(31), m(32), m(33), (m(31))#{a => 1}, maps:merge(m(50), Abc)]] end},
     {assoc_mixed, fun() -> [l(as_mixed(id(M), x)) || M <- [#{}, Abc, #{0 => 1, 0.0 => 2, "l" => 3, "k" => 4}, m(28), m(32), m(100)]] end},
     {assoc_ints, fun() -> [l(as_ints(id(m(N)), x)) || N <- lists:seq(0, 42)] end},
     {assoc_sizes, fun() -> [map_size(as_ints(id(m(N)), x)) || N <- lists:seq(0, 42)] end},
     {assoc_order, fun() -> [maps:to_list(as_ints(id(m(N)), x)) || N <- [0, 4, 9, 25, 30]] end},
     {assoc_bad, fun() -> [c(fun() -> as3(id(M), 1, 2) end) || M <- [[], x, {1}, 1, 1.0, self, <<1>>]] end},
     {assoc_same, fun() -> M = id(Abc), {l(as1(M, id(2))), l(as1(M, id(7)))} end},
     {variable_key, fun() -> [{l(A), case B of #{} -> l(B); _ -> B end} || M <- [#{}, Abc, #{1 => a, 1.0 => b, {x} => c}, m(32), m(40)], K <- [a, 1, 1.0, {x}, "k"], {A, B} <- [var(id(M), K, new)]] end},
     {in_guard, fun() -> [in_guard(id(M)) || M <- [#{a => 9, b => 2}, #{a => 9}, #{b => 2}, #{}, x, []]] end},
     {gets, fun() -> [gets(id(M)) || M <- [Abc, #{a => 1, c => 2}, #{1 => x, [] => y}, #{1.0 => x, [] => y}, #{}, maps:merge(m(50), Abc), m(50), (m(50))#{[] => z}, [], x, {a}]] end},
     {sizes, fun() -> [sizes(id(M)) || M <- [#{}, #{a => 1}, Abc, m(31), m(32), m(33), m(34), x, [a], {1}]] end},
     {keys, fun() -> [has(id(M)) || M <- [#{}, Abc, #{b => 0}, m(40), (m(40))#{b => 5}, x, [a], {1}]] end},
     {makes, fun() -> [[l(M) || M <- makes(id(X), id(Y))] || X <- [1, [a], 2.5], Y <- [x, {}]] end},
     {spin, fun() -> [l(spin(N, id(M))) || N <- [0, 1, 2, 3, 5000], M <- [Abc, #{a => x, b => y}, maps:merge(m(40), Abc)]] end}].
