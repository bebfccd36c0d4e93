%% processes
%% BIFs whose work is done in steps: arguments that take several, errors that come late, and what happens to their
%% processes meanwhile.
-module(t_steps).
-include("diff.hrl").

n() -> 200000.
seq() -> lists:seq(1, n()).
improper() -> lists:seq(1, n()) ++ tail.
hash(X) -> erlang:phash2(X).

%% What a call gives, without its arguments: value, or class and reason.
v(F) -> try {ok, hash(F())} catch C:R -> {C, R} end.

%% Does a process end that is killed while it is in F?
killed(F) ->
    {P, M} = spawn_monitor(fun() -> endless(F) end),
    receive after 5 -> ok end,
    exit(P, kill),
    receive {'DOWN', M, process, P, R} -> R end.

endless(F) -> F(), endless(F).

%% What F gives while somebody else has its process collected.
collected(F) ->
    S = self(),
    P = spawn_link(fun() -> receive go -> ok end, S ! {self(), v(F)} end),
    P ! go,
    collect(P, 10),
    receive {P, V} -> V end.

collect(_, 0) -> ok;
collect(P, N) ->
    receive after 1 -> erlang:garbage_collect(P) end,
    collect(P, N - 1).

%% Calls with large arguments, by name.
calls() ->
    L = seq(),
    I = improper(),
    B = list_to_binary([X rem 251 || X <- L]),
    Text = binary:copy(<<"abc,de;", 16#e5/utf8, 16#1f600/utf8>>, 20000),
    M = maps:from_list([{X, X} || X <- L]),
    T = list_to_tuple(L),
    Mixed = [{X, <<X:32>>, [X | x], float(X), make_atom(X), #{X => X}, "text", X bsl 70} || X <- lists:seq(1, 5000)],
    Io = [[X rem 256, <<X:16>>, [[], "abc"]] || X <- lists:seq(1, 30000)],
    Big = lists:foldl(fun(X, A) -> A * 1000003 + X end, 1, lists:seq(1, 6000)),
    [{reverse, fun() -> lists:reverse(L, tail) end}, {reverse_improper, fun() -> lists:reverse(I) end},
     {member, fun() -> {lists:member(n(), L), lists:member(1.5, L), lists:member("no", L)} end}, {member_improper, fun() -> lists:member(x, I) end},
     {keyfind, fun() -> K = [{X, X} || X <- L], {lists:keyfind(n(), 1, K), lists:keymember(x, 2, K), lists:keysearch(n() * 1.0, 2, K)} end},
     {length, fun() -> length(L) end}, {length_improper, fun() -> length(I) end}, {length_guard, fun() -> {in_guard(L), in_guard(I)} end},
     {append, fun() -> L ++ tail end}, {append_improper, fun() -> id(I) ++ [] end},
     {subtract, fun() -> L -- lists:reverse([0, 1.0 | lists:seq(1, n(), 3)]) end}, {subtract_few, fun() -> L -- [n(), 5, x, 5] end},
     {subtract_same, fun() -> (L ++ L) -- L end}, {subtract_improper, fun() -> {catch id(I) -- [], catch [1] -- id(I)} end},
     {tuple_to_list, fun() -> tuple_to_list(T) end}, {list_to_tuple, fun() -> list_to_tuple(L) end}, {list_to_tuple_improper, fun() -> list_to_tuple(I) end},
     {setelement, fun() -> setelement(n() div 2, T, {a, L}) end}, {setelement_last, fun() -> setelement(n(), T, x) end},
     {list_to_binary, fun() -> list_to_binary(Io) end}, {iolist_size, fun() -> iolist_size([Io | B]) end}, {iolist_to_binary, fun() -> iolist_to_binary([Io, B | B]) end},
     {iolist_bad, fun() -> iolist_to_binary([Io, 256]) end}, {iovec, fun() -> V = erlang:iolist_to_iovec([Io, B, Io]), {lists:all(fun is_binary/1, V), iolist_to_binary(V)} end},
     {list_to_bitstring, fun() -> list_to_bitstring([<<1:3>>, Io, B, <<5:7>> | <<2:2>>]) end}, {shifted, fun() -> <<_:3, R/bits>> = <<0:3, B/binary>>, iolist_to_binary([R, Io]) end},
     {binary_to_list, fun() -> binary_to_list(B) end}, {binary_to_list3, fun() -> binary_to_list(B, 7, n() - 7) end}, {bitstring_to_list, fun() -> bitstring_to_list(<<B/binary, 5:3>>) end},
     {crc32, fun() -> {erlang:crc32(B), erlang:crc32(5, Io), erlang:adler32([B, Io]), erlang:adler32(7, B)} end}, {md5, fun() -> {erlang:md5([B, Io]), erlang:md5_final(erlang:md5_update(erlang:md5_init(), Io))} end},
     {md5_bad, fun() -> erlang:md5([B, Io, <<1:1>>]) end},
     {copy, fun() -> {binary:copy(B, 3), binary:copy(<<"abc">>, 100000), binary:copy(B), binary:copy(<<>>, 10000000)} end},
     {match, fun() -> {binary:match(Text, <<"zz">>), binary:match(Text, [<<"zz">>, <<";", 16#e5/utf8>>], [{scope, {byte_size(Text), -20000}}]), binary:match(Text, <<"e">>, [{scope, {100001, 100}}])} end},
     {matches, fun() -> {binary:matches(Text, [<<"bc">>, <<"bc,d">>, <<"e">>]), binary:matches(Text, <<"c,d">>), binary:matches(Text, binary:compile_pattern([<<",">>, <<";">>]))} end},
     {split, fun() -> {binary:split(Text, <<",">>, [global]), binary:split(Text, [<<"abc">>, <<";">>], [global, trim_all]), binary:split(Text, <<16#1f600/utf8>>, [global, trim]), binary:split(Text, <<"q">>)} end},
     {replace, fun() -> binary:replace(Text, [<<"b">>, <<"de">>], <<"[]">>, [global, {insert_replaced, 1}]) end},
     {characters_to_list, fun() -> unicode:characters_to_list([Text, L, [Text | Text]]) end}, {characters_to_binary, fun() -> unicode:characters_to_binary([Text, [L, [[$a]]] | Text]) end},
     {characters_latin1, fun() -> unicode:characters_to_binary(B, latin1) end}, {characters_wrong, fun() -> unicode:characters_to_list([Text, Text, [<<Text/binary, 255>>, L], Text]) end},
     {characters_incomplete, fun() -> unicode:characters_to_binary([Text, Text, <<16#e5, 128>>]) end}, {characters_split, fun() -> <<X:99993/binary, Y/binary>> = Text, unicode:characters_to_list([X, Y]) end},
     {from_list, fun() -> maps:from_list([{X rem 150001, X} || X <- L]) end}, {from_list_improper, fun() -> maps:from_list([{1, 2} | L]) end}, {from_keys, fun() -> maps:from_keys(L, v) end},
     {merge, fun() -> {maps:merge(M, #{0 => 0}), maps:merge(#{1 => 0, 0 => 1}, M), maps:merge(M, maps:from_list([{X, -X} || X <- lists:seq(5, 2 * n(), 2)])), maps:merge(M, M#{7 := x})} end},
     {keys, fun() -> {lists:sort(maps:keys(M)), lists:sum(maps:values(M)), lists:sort(maps:to_list(M))} end},
     {term_to_binary, fun() -> term_to_binary([Mixed, T, L, improper]) end}, {term_to_binary_map, fun() -> X = term_to_binary(M), {byte_size(X), binary_to_term(X) =:= M} end}, {external_size, fun() -> erlang:external_size([Mixed, T, L, B, M]) end},
     {compressed, fun() -> X = term_to_binary([Mixed, B], [compressed]), {binary_to_term(X) =:= [Mixed, B], byte_size(X) < byte_size(term_to_binary([Mixed, B]))} end},
     {binary_to_term, fun() -> X = [Mixed, T, L, M, B, I], binary_to_term(term_to_binary(X)) =:= X end}, {binary_to_term_used, fun() -> binary_to_term(<<(term_to_binary(Mixed))/binary, 1, 2>>, [used]) end},
     {binary_to_term_cut, fun() -> X = term_to_binary([L, Mixed]), binary_to_term(binary_part(X, 0, byte_size(X) - 1)) end}, {binary_to_term_map, fun() -> binary_to_term(<<131, 116, 40:32, (binary:copy(<<97, 1, 97, 2>>, 40))/binary>>) end},
     {phash2, fun() -> [erlang:phash2(X) || X <- [L, T, M, Mixed, B, <<B/binary, 1:3>>, I, [1, 2, 3, 4 | L], lists:duplicate(n(), 7)]] end}, {phash2_range, fun() -> erlang:phash2([Mixed, B], 1000) end},
     {integer_to_list, fun() -> [{integer_to_list(X), integer_to_binary(-X, 7), integer_to_list(X, 16), integer_to_binary(X, 36)} || X <- [Big, Big * Big, 1 bsl 9000]] end},
     {list_to_integer, fun() -> [{list_to_integer(integer_to_list(X)) - X, binary_to_integer(integer_to_binary(X, 36), 36) - X, string:to_integer(integer_to_list(X) ++ "x")} || X <- [Big, -Big * Big, 1 bsl 9000]] end},
     {list_to_integer_bad, fun() -> list_to_integer(integer_to_list(Big) ++ "x") end}, {binary_to_integer_bad, fun() -> binary_to_integer(<<(integer_to_binary(Big))/binary, "7x7">>) end},
     {persistent_terms, fun() -> [persistent_term:put({t_steps, N}, [N | L]) || N <- lists:seq(1, 20)], R = lists:sort([hd(V) || {{t_steps, _}, V} <- persistent_term:get()]), [persistent_term:erase({t_steps, N}) || N <- lists:seq(1, 20)], R end},
     {persistent_term, fun() -> X = {Mixed, L, B, L}, persistent_term:put(t_steps, X), Y = persistent_term:get(t_steps) =:= X, persistent_term:put(t_steps, L), {Y, persistent_term:get(t_steps) =:= L, persistent_term:erase(t_steps)} end}].

make_atom(X) -> list_to_atom("a" ++ integer_to_list(X rem 100)).

in_guard(L) when length(L) > 10 -> yes;
in_guard(_) -> no.

call(Name) -> {Name, F} = lists:keyfind(Name, 1, calls()), F.

cases() ->
    [{Name, heavy, fun() -> v(F) end} || {Name, F} <- calls()]
        ++ [{list_to_atom("collected_" ++ atom_to_list(N)), heavy, fun() -> collected(call(N)) end}
            || N <- [reverse, subtract, append, list_to_tuple, matches, characters_to_list, from_list, merge, term_to_binary, binary_to_term, persistent_term, md5, integer_to_list]]
        ++ [{list_to_atom("killed_" ++ atom_to_list(N)), heavy, fun() -> killed(call(N)) end} || N <- [reverse, split, from_list, binary_to_term, persistent_term, characters_to_binary, phash2]]
        ++ [{small, fun small/0}, {in_match_spec, fun() -> T = ets:new(t, []), ets:insert(T, {1, seq()}), ets:select(T, [{{'$1', '$2'}, [{'=:=', {length, '$2'}, n()}], ['$1']}]) end},
            {as_fun, fun() -> {hash((fun lists:reverse/1)(seq())), hash(apply(erlang, list_to_tuple, [seq()])), hash(lists:map(fun erlang:length/1, [seq(), []]))} end},
            {deep_pattern, fun() -> T = ets:new(t, []), ets:insert(T, {k, deep(100000, [a])}), [length(ets:match(T, {k, deep(100000, ['$1'])})), length(ets:match_object(T, {'_', deep(99999, '$2')})), length(ets:match(T, {k, deep(100000, [b])}))] end}].

deep(0, A) -> A;
deep(N, A) -> deep(N - 1, [A]).

%% The same with arguments that take several steps only where steps are small.
small() ->
    L = lists:seq(1, 60),
    B = list_to_binary(L),
    M = maps:from_list([{X, X} || X <- L]),
    [cr(F) || F <- [fun() -> lists:reverse(L, [z]) end, fun() -> lists:reverse(L ++ z) end, fun() -> lists:member(60, L) end, fun() -> lists:keyfind(b, 1, [{a}, {b}, {c}]) end,
                    fun() -> length(L) end, fun() -> L ++ L end, fun() -> L -- [5, 6, 5 | lists:seq(20, 50)] end, fun() -> list_to_tuple(L) end, fun() -> tuple_to_list(list_to_tuple(L)) end,
                    fun() -> list_to_binary([L, B, [[[L]] | B]]) end, fun() -> iolist_size([L, B | B]) end, fun() -> binary_to_list(B, 3, 9) end, fun() -> erlang:md5([L, B]) end, fun() -> erlang:crc32([L, B]) end,
                    fun() -> binary:copy(B, 5) end, fun() -> binary:matches(binary:copy(<<"abcab">>, 40), [<<"ab">>, <<"bca">>]) end, fun() -> binary:split(binary:copy(<<"a,b,">>, 40), <<",">>, [global, trim]) end,
                    fun() -> unicode:characters_to_list([<<"abc", 16#20ac/utf8>>, L, <<16#e2>>, <<16#82, 16#ac>>]) end, fun() -> unicode:characters_to_binary([L, 16#d800]) end,
                    fun() -> maps:from_list([{X rem 40, X} || X <- L]) end, fun() -> maps:merge(M, #{5 => x, y => z}) end, fun() -> lists:sort(maps:keys(M)) end, fun() -> lists:sort(maps:to_list(M)) end,
                    fun() -> binary_to_term(term_to_binary({L, B, M, #{a => b}, 1 bsl 300, [a | b], <<5:3>>, fun lists:map/2})) end, fun() -> erlang:external_size({L, B, M}) end, fun() -> erlang:phash2({L, B, M, "abcdefg"}) end,
                    fun() -> integer_to_list(1 bsl 200) end, fun() -> list_to_integer(integer_to_list(-(1 bsl 200))) end, fun() -> binary_to_integer(<<"ffffffffffffffffffffffffg">>, 16) end,
                    fun() -> persistent_term:put({t_steps, L}, {M, M, B}), persistent_term:get({t_steps, L}) end]].
