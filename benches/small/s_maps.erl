%% maps: small maps of atoms, large ones of integers and binaries, and what goes over them.
-module(s_maps).
-export([cases/0]).

cases() ->
    M5 = small:id(#{a => 1, b => 2, c => 3, d => 4, e => 5}),
    M20 = small:id(maps:from_list([{I, I} || I <- lists:seq(1, 20)])),
    M1000 = small:id(maps:from_list([{I, I} || I <- lists:seq(1, 1000)])),
    Words = small:id(maps:from_list([{integer_to_binary(I), I} || I <- lists:seq(1, 1000)])),
    Tuples = small:id(maps:from_list([{{I, I + 1}, I} || I <- lists:seq(1, 1000)])),
    L10 = small:id([{I, I} || I <- lists:seq(1, 10)]),
    L100 = small:id([{I, I} || I <- lists:seq(1, 100)]),
    [{match_atom, fun(_) -> #{c := X, e := Y} = M5, X + Y end},
     {get_atom, fun(_) -> maps:get(c, M5) end},
     {get_default, fun(_) -> maps:get(z, M5, none) end},
     {find, fun(_) -> maps:find(d, M5) end},
     {is_key, fun(_) -> is_map_key(e, M5) end},
     {new_literal_keys, fun(N) -> #{a => N, b => N, c => N} end},
     {update_atom, fun(N) -> M5#{c := N} end},
     {put_atom, fun(N) -> M5#{f => N} end},
     {put_20, fun(N) -> M20#{N band 31 => N} end},
     {get_20, fun(N) -> maps:get(N band 15 + 1, M20) end},
     {get_1000, fun(N) -> maps:get(N band 511 + 1, M1000) end},
     {put_1000, fun(N) -> M1000#{N band 1023 => N} end},
     {remove_1000, fun(N) -> maps:remove(N band 511, M1000) end},
     {get_binary, fun(N) -> maps:get(integer_to_binary(N band 511 + 1), Words) end},
     {get_tuple, fun(N) -> I = N band 511 + 1, maps:get({I, I + 1}, Tuples) end},
     {update_with, fun(_) -> maps:update_with(c, fun(X) -> X + 1 end, M5) end},
     {take, fun(_) -> maps:take(b, M5) end},
     {size, fun(_) -> map_size(M1000) end},
     {keys, fun(_) -> maps:keys(M20) end},
     {values, fun(_) -> maps:values(M20) end},
     {to_list_20, fun(_) -> maps:to_list(M20) end},
     {to_list_1000, fun(_) -> maps:to_list(M1000) end},
     {from_list_10, fun(_) -> maps:from_list(L10) end},
     {from_list_100, fun(_) -> maps:from_list(L100) end},
     {fold_20, fun(_) -> maps:fold(fun(_, V, A) -> V + A end, 0, M20) end},
     {fold_1000, fun(_) -> maps:fold(fun(_, V, A) -> V + A end, 0, M1000) end},
     {map_20, fun(_) -> maps:map(fun(_, V) -> V + 1 end, M20) end},
     {filter_20, fun(_) -> maps:filter(fun(_, V) -> V > 10 end, M20) end},
     {iterator_1000, fun(_) -> iterate(maps:next(maps:iterator(M1000)), 0) end},
     {merge_5, fun(_) -> maps:merge(M5, #{z => 1, a => 2}) end},
     {merge_20, fun(_) -> maps:merge(M20, M5) end},
     {with, fun(_) -> maps:with([a, c], M5) end},
     {without, fun(_) -> maps:without([a, c], M5) end},
     {equal, fun(N) -> M20#{1 => N} =:= M20 end},
     {count_words, fun(_) -> count([a, b, a, c, a, b, d], #{}) end}].

iterate(none, A) -> A;
iterate({_, V, I}, A) -> iterate(maps:next(I), A + V).

count([W | Ws], M) ->
    case M of
        #{W := N} -> count(Ws, M#{W := N + 1});
        #{} -> count(Ws, M#{W => 1})
    end;
count([], M) -> M.
