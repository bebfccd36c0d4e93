%% releases: 27 29
%% Map comprehensions and the maybe expression.
-module(t_compr27).
-include("diff.hrl").

m(X) ->
    maybe
        {ok, A} ?= X,
        B = A + 1,
        true ?= B > 2,
        {big, B}
    end.

me(X) ->
    maybe
        {ok, A} ?= X,
        {value, A}
    else
        {error, E} -> {failed, E};
        none -> nothing
    end.

cases() ->
    [{from_list, fun() -> #{K => V || {K, V} <- id([{a, 1}, {b, 2}])} end},
     {from_map, fun() -> #{V => K || K := V <- id(#{a => 1, b => 2})} end},
     {to_list, fun() -> lists:sort([{K, V} || K := V <- id(#{a => 1, b => 2})]) end},
     {filter, fun() -> #{K => V || K := V <- id(#{a => 1, b => 2, c => 3}), V > 1} end},
     {pattern, fun() -> lists:sort([X || {k, X} := 1 <- id(#{{k, 1} => 1, {k, 2} => 2, z => 1, {k, 3} => 1})]) end},
     {large, fun() -> map_size(#{I => I * I || I <- lists:seq(1, 1000)}) end},
     {large_from_map, fun() -> M = #{I => I || I <- lists:seq(1, 200)}, lists:sum([V || _ := V <- M]) end},
     {duplicate_keys, fun() -> #{X rem 3 => X || X <- lists:seq(1, 10)} end},
     {binary_gen, fun() -> #{X => Y || <<X, Y>> <= id(<<1, 2, 3, 4>>)} end},
     {to_binary, fun() -> << <<V>> || _ := V <- id(#{1 => 10, 2 => 20}) >> end},
     {two, fun() -> #{{A, B} => A * B || A <- [1, 2], B := _ <- #{3 => x, 4 => y}} end},
     {bad, fun() -> [c(fun() -> [K || K := _ <- id(a)] end), c(fun() -> #{K => V || K := V <- id([])} end)] end},
     {iterator_source, fun() -> lists:sort([K || K := _ <- maps:iterator(id(#{a => 1, b => 2}))]) end},
     {ordered_iterator, fun() -> maps:to_list(maps:iterator(id(#{c => 1, a => 2, b => 3}), ordered)) end},
     {reversed_iterator, fun() -> maps:to_list(maps:iterator(maps:from_list([{I, I} || I <- lists:seq(1, 40)]), reversed)) end},
     {custom_iterator, fun() -> maps:to_list(maps:iterator(#{1 => a, 5 => b, 3 => c}, fun(A, B) -> A rem 4 =< B rem 4 end)) end},
     {print_ordered, fun() -> lists:flatten(io_lib:format("~kp", [#{c => 1, a => 2, b => 3}])) end},
     {maybe_ok, fun() -> [m(id(X)) || X <- [{ok, 5}, {ok, 1}, error]] end},
     {maybe_else, fun() -> [cr(fun() -> me(id(X)) end) || X <- [{ok, 5}, {error, why}, none, other]] end},
     {triple_quoted, fun() -> """
       a "quoted" text
         indented
       """ end},
     {sigils, fun() -> [~"bin", ~s"list", ~B"raw\n"] end},
     {zip_lists, fun() -> [lists:zip([1, 2], [a], trim), lists:zip([1], [a, b], {pad, {x, y}})] end},
     {enumerate_step, fun() -> lists:enumerate(0, 2, [a, b, c]) end},
     {json, fun() -> [json:decode(<<"{\"a\": [1, 2.5, null, true, \"x\\u00e9\"]}">>), iolist_to_binary(json:encode(#{<<"k">> => [1, 2.5, null, <<"s\n">>]}))] end},
     {json_bad, fun() -> [cr(fun() -> json:decode(id(B)) end) || B <- [<<"{">>, <<"[1,]">>, <<"nul">>, <<"\"\\ud800\"">>, <<"1 2">>]] end}].
