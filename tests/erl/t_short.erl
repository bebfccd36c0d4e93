%% Arguments on both sides of the sizes up to which BIFs do their work at once, without memory of their own.
-module(t_short).
-include("diff.hrl").

%% A hash of many results keeps the output short while every bit counts.
sum(L) -> {length(L), erlang:md5(term_to_binary(L, [{minor_version, 1}])), lists:sublist(L, 2)}.

around(L) -> lists:usort([abs(N + D) || N <- L, D <- [-1, 0, 1]]).

seq(N) -> lists:seq(1, N).

%% The same list with another end.
ending(L, End) -> lists:foldr(fun(X, T) -> [X | T] end, End, L).

bytes(N) -> << <<(X * 37 rem 251)>> || X <- seq(N) >>.

%% The same bits that do not begin at a byte.
shifted(B) -> <<_:3, S/bitstring>> = <<0:3, B/bitstring>>, S.

%% Patterns of bytes as programs search for them, one by one: at each place the longest counts.
naive(B, Ps) -> naive(B, Ps, 0).

naive(<<>>, _, _) -> [];
naive(<<_, Rest/binary>> = B, Ps, At) ->
    case lists:max([0 | [N || P <- Ps, N <- [byte_size(P)], N =< byte_size(B), binary_part(B, 0, N) =:= P]]) of
        0 -> naive(Rest, Ps, At + 1);
        N -> [{At, N} | naive(binary_part(B, N, byte_size(B) - N), Ps, At + N)]
    end.

pattern_lists() ->
    [[<<"a">>, <<"b">>], [<<"ab">>, <<"abc">>, <<"b">>], [<<"\r\n">>, <<"\n">>], [<<"aa">>, <<"aaa">>],
     [<<"a">>, <<"b">>, <<"c">>, <<"d">>], [<<"ab">>, <<"bc">>, <<"cd">>, <<"da">>, <<"e">>],
     [<<"abcabcabcabcabcabc">>, <<"abc">>], [<<"a">>, <<"a">>], [<<"c">>, <<"ca">>, <<"cab">>, <<"cabb">>], [<<"x">>, <<"yz">>]].

subjects() ->
    [<<>>, <<"a">>, <<"abcabcabcabcabcabcabd">>, <<"one\r\ntwo\nthree\r\n\n">>, <<"aaaaaaa">>, <<"cabbcabcac">>, <<"dadcdabcde">>,
     binary:copy(<<"abcd\r\ne">>, 50), binary:copy(<<"zzzzzzzzzzzzz">>, 300), binary:copy(<<"abcdefg">>, 700)].

%% Numbers of one, two and three limbs, where sums, products and shifts go from one to the next.
limbs() ->
    [S * N || P <- [60, 63, 64, 65, 126, 127, 128, 129, 191, 192],
              N <- [(1 bsl P) - 1, 1 bsl P, (1 bsl P) + 1, (1 bsl P) + (1 bsl (P div 2))], S <- [1, -1]] ++ [0, 1, -1, 12345].

each_pair(F) -> sum([cr(fun() -> F(A, B) end) || A <- limbs(), B <- limbs()]).

%% Objects that are put in one in the place of the other.
objects() ->
    [{k, 1, 2}, {k, 1.5, 1.0e300}, {k, 1 bsl 80, -(1 bsl 90)}, {k, <<"abc">>, <<"12345678">>}, {k, <<"12345678">>, <<"abc">>}, {k, "ab", 1},
     {k, <<0:800>>, 1}, {k, bytes(200), bytes(65)}, {k, make(3), 1}, {k, <<1:3>>, a}, {k, 2}, {k}, {k, 1.0, <<>>}, {k, 1 bsl 64, 1 bsl 60}].

make(N) -> #{n => N, list => seq(N)}.

replaced(Type) ->
    T = ets:new(t, [Type]),
    [begin ets:insert(T, A), ets:insert(T, B), {ets:tab2list(T), ets:info(T, size)} end || A <- objects(), B <- objects()].

keys_written_anew() ->
    T = ets:new(t, [ordered_set]),
    [begin ets:insert(T, {K, V}), {ets:tab2list(T), ets:lookup(T, 1), ets:lookup(T, 1 bsl 70)} end
     || {K, V} <- [{1, a}, {1.0, b}, {1, c}, {1 bsl 70, d}, {float(1 bsl 70), e}, {1 bsl 70, f}]].

map_of(Ks) -> maps:from_list([{K, {v, K}} || K <- Ks]).

%% All pairs, by an iterator.
iterate(I) ->
    case maps:next(I) of
        none -> [];
        {K, V, Next} -> [{K, V} | iterate(Next)]
    end.

cases() ->
    [{to_tuple, fun() -> sum([{tuple_size(list_to_tuple(id(seq(N)))), tuple_to_list(list_to_tuple(seq(N)))} || N <- around([0, 16, 256, 600])]) end},
     {to_tuple_bad, fun() -> [cr(fun() -> list_to_tuple(id(ending(seq(N), x))) end) || N <- [0, 1, 255, 256, 257]] end},
     {append, fun() -> sum([id(seq(N)) ++ id(T) || N <- around([1, 128, 256, 512, 1000]), T <- [[], [a], b]]) end},
     {append_bad, fun() -> [c(fun() -> id(ending(seq(N), x)) ++ [y] end) || N <- [1, 255, 256, 257]] end},
     {append_often, fun() -> sum([lists:foldl(fun(I, A) -> id(seq(I rem 70)) ++ [I | lists:sublist(A, 5)] end, [], seq(3000))]) end},
     {subtract, fun() -> sum([id(seq(N)) -- id(lists:seq(3, 2 + M)) || N <- around([0, 12, 32, 40]), M <- around([0, 12, 13])]) end},
     {subtract_twice, fun() -> [id([1, 1.0, 1, {a}, "s", {a}, 2]) -- id(L) || L <- [[1], [1, 1], [1.0, {a}], ["s", {a}, {a}, {a}], [2, 3]]] end},
     {subtract_bad, fun() -> [c(fun() -> id(L) -- id(R) end) || L <- [[1 | x], x, ending(seq(32), x), ending(seq(33), x)], R <- [[], [1], [1 | y]]] end},
     {subtract_shares, fun() -> L = id(seq(20)), R = L -- [2], erts_debug:same(lists:nthtail(2, L), tl(R)) end},
     {splice, fun() -> T = id(list_to_tuple(seq(5))), [[cr(fun() -> erlang:insert_element(I, T, x) end), cr(fun() -> erlang:delete_element(I, T) end)] || I <- lists:seq(0, 7)] ++ [erlang:append_element(T, y), erlang:append_element({}, y)] end},
     {make_tuple, fun() -> sum([erlang:make_tuple(N, x) || N <- around([0, 10, 300])]) end},
     {keyfind, fun() -> L = [{I, I} || I <- seq(60)] ++ [{100.0, f}, {1 bsl 70, big}, x], sum([lists:keyfind(id(K), 1, L) || K <- [1, 48, 49, 60, 61, 100, 100.0, 1.0, 1 bsl 70, float(1 bsl 70), a]]) end},
     {iolists, fun() -> sum([cr(fun() -> iolist_to_binary(id(L)) end) || N <- around([0, 64, 200, 256, 300]), B <- [bytes(N)], L <- [[B], [1 | B], [B, B], [[B] | shifted(B)], [binary_to_list(B), "x"], [B | <<1:3>>], [B, 256], [B | x]]]) end},
     {iolist_sizes, fun() -> sum([cr(fun() -> iolist_size(id(L)) end) || N <- around([0, 64, 256, 300]), B <- [bytes(N)], L <- [B, [B, 1, [B]], binary_to_list(B), [B, <<1:1>>], [B, a]]]) end},
     {bitstrings, fun() -> sum([cr(fun() -> list_to_bitstring(id([bytes(N), X, <<5:3>>, bytes(N)])) end) || N <- around([0, 64, 128, 256]), X <- [7, <<1:1>>, "abc"]]) end},
     {copies, fun() -> sum([cr(fun() -> binary:copy(id(B), M) end) || N <- around([0, 8, 64, 512]), B <- [bytes(N), shifted(bytes(N))], M <- [0, 1, 2, 3, 60]]) end},
     {prefixes, fun() -> B = bytes(100), [cr(fun() -> F(id(L)) end) || F <- [fun binary:longest_common_prefix/1, fun binary:longest_common_suffix/1], L <- [[B, B], [B, shifted(B), <<B/binary, 1>>], [<<1, B/binary>>, B], [B, <<>>], [B], [], [B | x], [B, x], [x, B], [<<1:1>>]]] end},
     {unsigned, fun() -> sum([{binary:encode_unsigned(id(N)), binary:encode_unsigned(N, little), binary:decode_unsigned(binary:encode_unsigned(N))} || P <- lists:seq(0, 260), N <- [1 bsl P, (1 bsl P) - 1, (1 bsl P) + 1]]) end},
     {first_last, fun() -> [cr(fun() -> F(id(B)) end) || F <- [fun binary:first/1, fun binary:last/1], B <- [<<1, 2, 3>>, shifted(<<1, 2, 3>>), bytes(100), <<>>, <<1:9>>, a]] end},
     {patterns, fun() -> sum([binary:matches(B, id(Ps)) || Ps <- pattern_lists(), B <- subjects()]) end},
     {patterns_compiled, fun() -> sum([binary:matches(B, C) || Ps <- pattern_lists(), C <- [binary:compile_pattern(Ps)], B <- subjects()]) end},
     {patterns_naive, fun() -> [{Ps, B} || Ps <- pattern_lists(), B <- subjects(), binary:matches(B, Ps) =/= naive(B, Ps)] end},
     {patterns_split, fun() -> sum([binary:split(B, id(Ps), O) || Ps <- pattern_lists(), B <- subjects(), O <- [[], [global], [global, trim], [global, trim_all]]]) end},
     {patterns_scope, fun() -> sum([cr(fun() -> binary:match(<<"abcabcabc">>, id(Ps), [{scope, {F, N}}]) end) || Ps <- pattern_lists(), F <- lists:seq(0, 9), N <- [0, 1, 3, -2, 20]]) end},
     {pattern_of_another, fun() -> {_, R} = binary:compile_pattern([<<"a">>, <<"b">>]), [c(fun() -> binary:match(<<"abc">>, id(P)) end) || P <- [{bm, R}, {ac, make_ref()}, {ac, atomics:new(1, [])}, {ac}, {ac, R, R}]] end},
     {limbs_add, fun() -> each_pair(fun(A, B) -> A + B end) end},
     {limbs_sub, fun() -> each_pair(fun(A, B) -> A - B end) end},
     {limbs_mul, fun() -> each_pair(fun(A, B) -> A * B end) end},
     {limbs_bits, fun() -> each_pair(fun(A, B) -> {A band B, A bor B, A bxor B} end) end},
     {limbs_shift, fun() -> sum([cr(fun() -> {N bsl S, N bsr S} end) || N <- limbs(), S <- [0, 1, 3, 59, 60, 63, 64, 65, 100, 127, 128, 129, -1, -64, -65]]) end},
     {decimals, fun() -> sum([{integer_to_list(id(S * N)), integer_to_binary(S * N)} || P <- around([18, 19, 38, 57, 100, 250, 600, 620, 640]), N <- [pow10(P), pow10(P) - 1, pow10(P) + pow10(P div 2)], S <- [1, -1]]) end},
     {few_digits, fun() -> [cr(fun() -> binary_to_integer(id(B)) end) || B <- [<<"0">>, <<"-0">>, <<"+7">>, <<"-">>, <<"+">>, <<>>, <<"12a">>, <<"1152921504606846975">>, <<"1152921504606846976">>, <<"-1152921504606846976">>, <<"000000000000000000000012">>, <<"/">>, <<":">>, shifted(<<"123">>), <<"1 ">>, a, <<1:1>>]] end},
     {few_digits_bases, fun() -> sum([cr(fun() -> binary_to_integer(id(B), X) end) || X <- [2, 8, 10, 16, 36], B <- [<<"10">>, <<"-zZ">>, <<"7f">>, <<"12">>, <<"9">>, <<"1111111111111111111111111111111111111111111111111111111111111111111">>]]) end},
     {encode_numbers, fun() -> sum([{term_to_binary(S * N), erlang:external_size(S * N)} || P <- lists:seq(50, 300), N <- [1 bsl P, (1 bsl P) - 1], S <- [1, -1]]) end},
     {encode_lists, fun() -> sum([{term_to_binary(L), erlang:external_size(L), binary_to_term(term_to_binary(L)) =:= L} || N <- around([1, 32, 100, 300]), E <- [[], a, 300], L <- [ending(lists:duplicate(N, $a), E), ending(lists:duplicate(N, 256), E), [[ending(lists:duplicate(N, $b), E)]]]]) end},
     {encode_more, fun() -> sum([begin B = term_to_binary(T), {byte_size(B), erlang:md5(B), erlang:external_size(T)} end || N <- around([1, 100, 250, 256, 1000]), T <- [{N, bytes(N)}, [bytes(N) || _ <- seq(5)], map_of(seq(N rem 32)), list_to_tuple(seq(N)), [{X} || X <- seq(N)]]]) end},
     {flat_size, fun() -> [erts_debug:flat_size(id(T)) || T <- [1, a, {}, {1, 2.5, "ab"}, [[[[[1]]]]], {1, {2, {3, {4, {5}}}}}, list_to_tuple([{X} || X <- seq(40)]), [#{a => 1}, <<1, 2>>]]] end},
     {plain_objects, fun() -> [sum(replaced(T)) || T <- [set, ordered_set]] end},
     {plain_objects_bag, fun() -> sum(replaced(bag)) end},
     {keys_written_anew, fun() -> keys_written_anew() end},
     {memory_of_objects, fun() -> T = ets:new(t, []), M = fun() -> ets:info(T, memory) end, ets:insert(T, {k, 1.0e300, <<"abc">>}), A = M(), [begin ets:insert(T, O), ets:insert(T, {k, 1.0e300, <<"abc">>}), M() - A end || O <- objects()] end},
     {no_tables, fun() -> A = atomics:new(1, []), T = ets:new(t, []), ets:delete(T), [[c(fun() -> F(id(X)) end) || F <- [fun(Y) -> ets:lookup(Y, a) end, fun(Y) -> ets:insert(Y, {a}) end, fun(Y) -> ets:insert(Y, [{a}]) end, fun(Y) -> ets:insert_new(Y, {a}) end, fun(Y) -> ets:update_counter(Y, a, 1) end, fun(Y) -> ets:next(Y, a) end, fun(Y) -> ets:member(Y, a) end]] || X <- [A, T, make_ref(), none, 1]] end},
     {private_tables, fun() -> T = ets:new(t, [private]), P = ets:new(t, [protected]), ets:insert(P, {a, 1}), S = self(), spawn(fun() -> S ! [c(fun() -> F() end) || F <- [fun() -> ets:lookup(T, a) end, fun() -> ets:insert(T, {a}) end, fun() -> ets:member(P, a) end, fun() -> ets:insert(P, {a}) end, fun() -> ets:update_counter(P, a, 1) end]] end), receive R -> R end end},
     {counters, fun() -> T = ets:new(t, []), ets:insert(T, {k, 1, 1152921504606846970, 1.5, 1 bsl 80}), [cr(fun() -> ets:update_counter(T, k, id(O)) end) || O <- [1, -5, {2, 3}, {3, 4}, {3, 4}, {3, -9}, {4, 1}, {5, 1}, {5, -(1 bsl 80)}, {1, 1}, {0, 1}, {6, 1}, {2, a}, {2, 1 bsl 70}, {2, 1, 5, 0}, a, [{2, 1}, {3, 1}], {a, 1}]] ++ [ets:tab2list(T)] end},
     {elements, fun() -> T = ets:new(t, []), ets:insert(T, {k, 1, b}), [cr(fun() -> ets:update_element(T, k, id(E)) end) || E <- [{2, x}, {3, "list"}, {1, k}, {0, a}, {4, a}, {a, b}, {2}, [{2, 1}, {3, 2}], [], [{2, 1} | x], {2, 1.5}]] ++ [ets:tab2list(T)] end},
     {match_many, fun() -> T = ets:new(t, []), [ets:insert(T, {I, I * I, {I, [I]}}) || I <- seq(20)], [ets:match(T, id(P)) || P <- [{3, '$1', '_'}, {'_', 9, '$2'}, {3, '$2', {'$1', ['$1']}}, {'$1', '$1', '_'}, {3, '_', {'_', '$9'}}, {99, '$1', '_'}, {3, 9, {3, [3]}}, {3, '$3', '$2'}, {3, 9}, {3, 9, "x"}]] end},
     {select_keys, fun() -> T = ets:new(t, []), [ets:insert(T, {I, I * I}) || I <- seq(50)], [lists:sort(ets:select(T, id([{{K, '$1'}, G, B} || K <- Ks]))) || Ks <- [[1], [1, 2], [1, 2, 3, 4, 5, 6], [1, 1], [99], [1, 1.0]], {G, B} <- [{[], ['$1']}, {[{'>', '$1', 1}], ['$_']}, {[], [{{'$1', '$$'}}]}]] end},
     {merge, fun() -> sum([maps:merge(map_of(id(A)), map_of(B)) || N <- around([0, 3, 6, 16, 31, 33]), M <- around([0, 3, 10, 32]), A <- [seq(N)], B <- [seq(M), lists:seq(N, N + M), [0.5 | seq(M)]]]) end},
     {merge_same, fun() -> M = map_of([a, b, c]), [maps:merge(M, M) =:= M, maps:merge(M, #{}) =:= M, maps:merge(#{}, M) =:= M, maps:merge(M#{a := 1}, M) =:= M, maps:merge(M, M#{a := 1})] end},
     {from_list, fun() -> sum([maps:from_list(id(L)) || N <- around([8, 32, 40]), L <- [[{X, X} || X <- seq(N)], [{X rem 7, X} || X <- seq(N)], [{-X, X} || X <- seq(N)], [{float(X), X} || X <- seq(N)]]]) end},
     {from_list_bad, fun() -> [c(fun() -> maps:from_list(id(L)) end) || L <- [[{1, 2} | x], [{1, 2}, {3}], [{X, X} || X <- seq(8)] ++ [a], a]] end},
     {iterators, fun() -> [begin M = map_of(seq(N)), {N, iterate(maps:iterator(M)) =:= maps:to_list(M) orelse lists:sort(iterate(maps:iterator(M))) =:= lists:sort(maps:to_list(M)), length(maps:keys(M)), lists:sum(maps:keys(M)) =:= N * (N + 1) div 2, maps:fold(fun(K, _, A) -> A + K end, 0, M)} end || N <- around([32, 64, 100, 1000, 5000])] end},
     {iterator_order, fun() -> sum([iterate(maps:iterator(map_of(seq(N)))) || N <- around([33, 64, 500, 3000])]) end},
     {list_order, fun() -> sum([{maps:keys(M), maps:values(M), maps:to_list(M)} || N <- around([32, 100, 3000, 5000]), M <- [map_of(seq(N))]]) end},
     {iterator_places, fun() -> M = map_of(seq(400)), sum([element(1, maps:next(I)) || I <- iterators(maps:iterator(M))]) end},
     {chars_to_list, fun() -> sum([cr(fun() -> unicode:characters_to_list(id(X), E) end) || N <- around([1, 100, 256, 300]), E <- [utf8, latin1], X <- [lists:duplicate(N, $a), lists:duplicate(N, 233), lists:duplicate(N, 8364), bytes(N), <<(bytes(N))/binary, "x">>, shifted(binary:copy(<<"a">>, N)), binary:copy(<<"é"/utf8>>, N div 2), ending(lists:duplicate(N, $a), <<"end">>), lists:duplicate(N, $a) ++ [16#D800], lists:duplicate(N, $a) ++ [a], ending("ab", x), <<1:1>>]]) end},
     {chars_to_binary, fun() -> sum([cr(fun() -> unicode:characters_to_binary(id(X), E) end) || N <- around([1, 60, 64, 100, 256, 300]), E <- [utf8, latin1], X <- [lists:duplicate(N, $a), lists:duplicate(N, 8364), lists:duplicate(N, 128512), binary:copy(<<"é"/utf8>>, N), bytes(N), shifted(binary:copy(<<"a">>, N)), [lists:duplicate(N, 233), <<"mid">>, lists:duplicate(N, 234)], <<(binary:copy(<<"a">>, N))/binary, 195>>]]) end},
     {unique_options, fun() -> [cr(fun() -> is_integer(erlang:unique_integer(id(O))) end) || O <- [[], [positive], [monotonic], [positive, monotonic], [a], [positive | monotonic], positive]] ++ [erlang:unique_integer([positive]) > 0, erlang:unique_integer([monotonic]) < erlang:unique_integer([monotonic])] end}].

pow10(0) -> 1;
pow10(N) -> 10 * pow10(N - 1).

iterators(I) ->
    case maps:next(I) of
        none -> [];
        {_, _, Next} -> [I | iterators(Next)]
    end.
