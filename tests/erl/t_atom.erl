%% Atoms: conversion, unicode, limits.
-module(t_atom).
-include("diff.hrl").

cases() ->
    [{to_list, fun() -> [atom_to_list(id(A)) || A <- [abc, '', 'hello world', 'é', '日本', '😀', nil, []]  , is_atom(A)] end},
     {to_binary, fun() -> [atom_to_binary(id(A)) || A <- [abc, '', 'é', '日本', '😀']] end},
     {to_binary_latin1, fun() -> [c(fun() -> atom_to_binary(id(A), latin1) end) || A <- [abc, 'é', '日本']] end},
     {to_binary_utf8, fun() -> [atom_to_binary(id(A), utf8) || A <- [abc, 'é', '日本']] end},
     {to_binary_unicode, fun() -> atom_to_binary(id('é'), unicode) end},
     {to_binary_bad, fun() -> [c(fun() -> atom_to_binary(id(abc), foo) end), c(fun() -> atom_to_binary(id("abc")) end)] end},
     {from_list, fun() -> [list_to_atom(id(L)) || L <- ["abc", "", "hello world", [233], [26085, 26412], [128512]]] end},
     {from_binary, fun() -> [binary_to_atom(id(B)) || B <- [<<"abc">>, <<>>, <<>>, <<"日本"/utf8>>]] end},
     {from_binary_latin1, fun() -> binary_to_atom(id(<<233, 228>>), latin1) end},
     {from_binary_bad, fun() -> [c(fun() -> binary_to_atom(id(B), utf8) end) || B <- [<<255>>, <<195>>, <<1:3>>, abc]] end},
     {from_list_bad, fun() -> [c(fun() -> list_to_atom(id(L)) end) || L <- [abc, [a], [1 | 2], [-1], [16#110000], [16#D800], [1.0]]] end},
     {same, fun() -> list_to_atom(id("abc")) =:= abc end},
     {same_latin1_utf8, fun() -> binary_to_atom(<<233>>, latin1) =:= binary_to_atom(<<195, 169>>, utf8) end},
     {length_255, fun() -> length(atom_to_list(list_to_atom(lists:duplicate(255, $a)))) end},
     {length_256, fun() -> c(fun() -> list_to_atom(id(lists:duplicate(256, $a))) end) end},
     {length_255_wide, fun() -> length(atom_to_list(list_to_atom(lists:duplicate(255, 26085)))) end},
     {length_256_wide, fun() -> cr(fun() -> list_to_atom(id(lists:duplicate(256, 26085))) end) end},
     {length_256_bin, fun() -> cr(fun() -> binary_to_atom(id(binary:copy(<<"a">>, 256))) end) end},
     {existing, fun() -> [list_to_existing_atom(id("lists")), binary_to_existing_atom(id(<<"erlang">>))] end},
     {existing_bad, fun() -> [c(fun() -> list_to_existing_atom("surely_not_there_" ++ id("1")) end), c(fun() -> binary_to_existing_atom(<<"surely_not_there_", (id(<<"2">>))/binary>>) end)] end},
     {existing_after, fun() -> _ = list_to_atom("fresh_atom_" ++ id("x1")), list_to_existing_atom("fresh_atom_" ++ id("x1")) end},
     {print, fun() -> [lists:flatten(io_lib:format("~w ~p ~tw ~tp ~s", [A, A, A, A, atom_to_binary(A, utf8)])) || A <- [abc, 'Abc', '1a', 'a b', 'a@b', 'it\'s', 'a\nb', '', 'end', 'é', '日本', '\\', 'ünder_score']] end},
     {many, fun() -> L = [list_to_atom("gen_" ++ integer_to_list(I)) || I <- lists:seq(1, 5000)], {length(lists:usort(L)), lists:nth(4321, L)} end},
     {is_atom, fun() -> [is_atom(id(X)) || X <- [a, [], "", <<>>, 1, {}]] end},
     {is_boolean, fun() -> [is_boolean(id(X)) || X <- [true, false, a, 0]] end},
     {nul_in_atom, fun() -> [atom_to_list(list_to_atom([0, 1])), atom_to_binary(list_to_atom([$a, 0, $b]))] end},
     {hash_many, fun() -> erlang:phash2([list_to_atom("h" ++ integer_to_list(I)) || I <- lists:seq(1, 100)]) end},
     {compare_wide, fun() -> lists:sort(['é', f, e, 'ē', '日', 'ａ', '😀', 'ﬁ']) end}].
