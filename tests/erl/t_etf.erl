%% The external term format.
-module(t_etf).
-include("diff.hrl").

terms() ->
    [0, 255, 256, -1, 2147483647, 2147483648, -2147483648, -2147483649, 1 bsl 59, 1 bsl 60, 1 bsl 64, -(1 bsl 64), 1 bsl 2039, 1 bsl 2040, 1 bsl 3000,
     0.0, -0.0, 1.5, 1.0e300, a, '', 'é', '日本', list_to_atom(lists:duplicate(255, $a)), list_to_atom(lists:duplicate(255, 233)),
     [], [1], "string", [1 | 2], [1, 2 | 3], [256, 1], lists:duplicate(70000, $a), lists:seq(1, 300),
     {}, {1, 2}, list_to_tuple(lists:seq(1, 300)), #{}, #{a => 1}, <<>>, <<"abc">>, <<1:1>>, <<1, 2, 3:7>>, binary:copy(<<"x">>, 1000),
     fun lists:map/2, fun t_etf:id/1, true, [[], [[]], {[]}], #{[] => #{}}, [<<1>> | <<2>>]].

rt(T) -> binary_to_term(term_to_binary(T)).
bad(B) -> c(fun() -> binary_to_term(id(B)) end).
br(B) -> cr(fun() -> binary_to_term(id(B)) end).

%% Identifiers of another node, and pids as if they were this node's.
pid_of(N, S) -> binary_to_term(<<131, 88, 119, 3, "a@b", N:32, S:32, 9:32>>).
own_pid(N, S) -> A = atom_to_binary(node()), <<131, 88, 119, (byte_size(A)), A/binary, N:32, S:32, 0:32>>.
ref_of(L) -> binary_to_term(<<131, 90, (length(L)):16, 119, 3, "a@b", 9:32, (<< <<X:32>> || X <- L >>)/binary>>).

cases() ->
    [{old_reference, fun() -> [begin R = binary_to_term(B), {is_reference(R), node(R), term_to_binary(R), R =:= binary_to_term(term_to_binary(R))} end || B <- [<<131, 101, 119, 3, "a@b", 0, 0, 0, 1, 1>>, <<131, 101, 100, 0, 13, "nonode@nohost", 0, 0, 0, 1, 0>>]] end},
     {old_reference_cut, fun() -> [cr(fun() -> binary_to_term(B) end) || B <- [<<131, 101, 119, 3, "a@b", 0, 0, 0, 1>>, <<131, 101, 97, 1, 0, 0, 0, 1, 1>>]] end},
     {encode_each, fun() -> [case term_to_binary(T) of B when byte_size(B) < 100 -> B; B -> {byte_size(B), erlang:md5(B)} end || T <- terms()] end},
     {roundtrip, fun() -> [T || T <- terms(), rt(T) =/= T] end},
     {external_size, fun() -> [erlang:external_size(T) || T <- terms()] end},
     {external_size_is_size, fun() -> [T || T <- terms(), erlang:external_size(T) < byte_size(term_to_binary(T))] end},
     {minor_0, fun() -> [term_to_binary(T, [{minor_version, 0}]) || T <- [1.5, a, 'é', 1]] end},
     {minor_1, fun() -> [term_to_binary(T, [{minor_version, 1}]) || T <- [1.5, a, 'é', '日']] end},
     {minor_2, fun() -> [term_to_binary(T, [{minor_version, 2}]) || T <- [1.5, a, 'é', '日']] end},
     {bad_decode_options, fun() -> [c(fun() -> binary_to_term(B, id(O)) end) || B <- [<<131, 97, 1>>, <<131, 97>>, a], O <- [[], [foo], foo, [safe | b], [safe, used]]] end},
     {bad_options, fun() -> [c(fun() -> term_to_binary(a, id(O)) end) || O <- [[foo], [{minor_version, 9}], [{compressed, 10}], foo, [{compressed, -1}]]] end},
     {compressed_roundtrip, fun() -> L = lists:seq(1, 1000), [binary_to_term(term_to_binary(L, [{compressed, N}])) =:= L || N <- lists:seq(0, 9)] ++ [binary_to_term(term_to_binary(L, [compressed])) =:= L] end},
     {compressed_small, fun() -> [term_to_binary(T, [compressed]) || T <- [a, 1, "abc"]] end},
     {compressed_header, fun() -> <<131, 80, Size:32, _/binary>> = term_to_binary(binary:copy(<<"a">>, 10000), [compressed]), Size end},
     {compressed_is_small, fun() -> byte_size(term_to_binary(binary:copy(<<"a">>, 100000), [compressed])) < 1000 end},
     {deterministic, fun() -> cr(fun() -> term_to_binary(maps:from_list([{I, I} || I <- lists:seq(1, 50)]), [deterministic]) =:= term_to_binary(maps:from_list([{I, I} || I <- lists:seq(50, 1, -1)]), [deterministic]) end) end},
     {local_pid, fun() -> P = self(), binary_to_term(term_to_binary(P)) =:= P end},
     {local_ref, fun() -> R = make_ref(), binary_to_term(term_to_binary(R)) =:= R end},
     {local_fun, fun() -> X = id(5), F = fun(Y) -> X + Y end, G = rt(F), {G =:= F, G(3), is_function(G, 1)} end},
     {fun_in_term, fun() -> M = rt(#{f => fun(X) -> X * 2 end}), (maps:get(f, M))(21) end},
     {pid_bytes, fun() -> case term_to_binary(self()) of <<131, 88, 119, 13, "nonode@nohost", _:64, C:32>> -> C; <<131, 88, 100, 0, 13, "nonode@nohost", _:64, C:32>> -> {old, C} end end},
     {atoms_by_index, fun() -> [br(<<131, T, I:(8 * B)>>) || {T, B, Is} <- [{73, 2, [0, 1, 5]}, {75, 3, [0, 1, 5, 16#ffffff]}], I <- Is] end},
     {old_floats, fun() -> [br(<<131, 99, F/binary, 0:(8 * (31 - byte_size(F)))>>) || F <- [<<"1.50000000000000000000e+00">>, <<"-2.5">>, <<" 1.5">>, <<"15">>, <<"-.5">>, <<"1.5x">>, <<"1e400">>, <<"inf">>, <<"1.5e3">>]] end},
     {old_references, fun() -> [case br(<<131, B/binary>>) of {ok, R} -> {is_reference(R), node(R), byte_size(term_to_binary(R))}; E -> E end
                                || B <- [<<101, 100, 0, 3, "a@b", 5:32, 1>>, <<101, 100, 0, 3, "a@b", 16#40000:32, 1>>, <<101, 100, 0, 3, "a@b", 5:32, 4>>, <<101, 100, 0, 13, "nonode@nohost", 5:32, 0>>,
                                         <<114, 0, 3, 100, 0, 3, "a@b", 1, 16#40000:32, 6:32, 7:32>>, <<114, 0, 3, 100, 0, 3, "a@b", 4, 5:32, 6:32, 7:32>>, <<90, 0, 1, 100, 0, 13, "nonode@nohost", 0:32, 5:32>>]] end},
     {old_creations, fun() -> [element(1, br(<<131, T, 100, 0, 3, "a@b", Id/binary, C>>)) || {T, Id} <- [{103, <<5:32, 0:32>>}, {102, <<5:32>>}], C <- [0, 3, 4, 255]] end},
     {empty_bitstring, fun() -> [br(<<131, 77, N:32, L>>) || {N, L} <- [{0, 0}, {0, 1}, {0, 8}]] end},
     {safe_exports, fun() -> [cr(fun() -> is_function(binary_to_term(<<131, 113, 119, 5, "lists", 119, 11, "nonesuch_fn", 97, 2>>, O)) end) || O <- [[safe], [], [safe]]] end},
     {packed_and_more, fun() -> Z = zlib:compress(<<97, 1, 2, 3>>), [br(<<131, 80, N:32, Z/binary, X/binary>>) || {N, X} <- [{4, <<>>}, {4, <<9, 9>>}, {3, <<>>}, {5, <<>>}]] end},
     {foreign_pid, fun() -> P = binary_to_term(<<131, 103, 100, 0, 3, "a@b", 0, 0, 0, 38, 0, 0, 0, 0, 3>>), {is_pid(P), node(P), term_to_binary(P)} end},
     {foreign_ref, fun() -> R = binary_to_term(<<131, 114, 0, 3, 100, 0, 3, "a@b", 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3>>), {is_reference(R), node(R), term_to_binary(R)} end},
     {foreign_port, fun() -> P = binary_to_term(<<131, 102, 100, 0, 3, "a@b", 0, 0, 0, 7, 2>>), {is_port(P), node(P), term_to_binary(P)} end},
     {foreign_pids, fun() -> [begin P = pid_of(N, S), {term_to_binary(P), P > pid_of(268435455, 17), P =:= pid_of(N, S), erlang:phash2(P), erlang:phash(P, 1 bsl 32), tl(string:split(pid_to_list(P), "."))} end || N <- [1, 268435455, 268435456, (1 bsl 32) - 1], S <- [0, 1, 8192, 1 bsl 28, (1 bsl 32) - 1]] end},
     {own_pids, fun() -> [cr(fun() -> binary_to_term(own_pid(N, S)) end) || N <- [1, 1 bsl 28, (1 bsl 32) - 1], S <- [0, 8191]] end},
     {foreign_refs, fun() -> Rs = [ref_of(L) || L <- [[4711, 0, 0], [4711, 0], [4711], [4711, 0, 1], [4711, 0, 0, 0], [4711, 0, 0, 0, 0], [4712], [4710, 1]]], [{X =:= Y, X < Y, #{X => 1} =:= #{Y => 1}} || X <- Rs, Y <- Rs] ++ [{term_to_binary(R), erlang:phash2(R)} || R <- Rs] end},
     {foreign_ports, fun() -> [begin P = binary_to_term(B), {term_to_binary(P), erlang:external_size(P), [term_to_binary({P, x}, [{minor_version, V}]) || V <- [1, 2]], binary_to_term(term_to_binary(P)) =:= P} end || B <- [<<131, 89, 119, 3, "a@b", 16#fffffff:32, 9:32>>, <<131, 120, 119, 3, "a@b", 7:64, 9:32>>, <<131, 120, 119, 3, "a@b", 16#1234567890:64, 9:32>>]] end},
     {local_port, fun() -> P = open_port({spawn_driver, "ram_file_drv"}, []), B = term_to_binary(P), {binary:at(B, 1), erlang:external_size(P) - byte_size(B), binary_to_term(B) =:= P} end},
     {foreign_new_pid, fun() -> P = binary_to_term(<<131, 88, 119, 3, "a@b", 0, 0, 0, 38, 0, 0, 0, 1, 0, 0, 0, 9>>), Q = rt(P), {P =:= Q, node(P)} end},
     {foreign_order, fun() -> A = binary_to_term(<<131, 88, 119, 3, "a@b", 0, 0, 0, 38, 0, 0, 0, 1, 0, 0, 0, 9>>), B = binary_to_term(<<131, 88, 119, 3, "a@b", 0, 0, 0, 39, 0, 0, 0, 1, 0, 0, 0, 9>>), {A < B, A == B, A < self()} end},
     {decode_old_float, fun() -> binary_to_term(<<131, 99, "1.50000000000000000000e+00", 0, 0, 0, 0, 0>>) end},
     {decode_atoms, fun() -> [binary_to_term(B) || B <- [<<131, 100, 0, 3, "abc">>, <<131, 115, 3, "abc">>, <<131, 118, 0, 3, "abc">>, <<131, 119, 3, "abc">>, <<131, 100, 0, 1, 233>>, <<131, 119, 2, 195, 169>>]] end},
     {decode_string, fun() -> [binary_to_term(B) || B <- [<<131, 107, 0, 3, 1, 2, 3>>, <<131, 107, 0, 0>>, <<131, 106>>]] end},
     {decode_noncanonical_int, fun() -> [binary_to_term(B) || B <- [<<131, 98, 0, 0, 0, 1>>, <<131, 110, 1, 0, 5>>, <<131, 110, 4, 1, 5, 0, 0, 0>>, <<131, 111, 0, 0, 0, 1, 0, 7>>, <<131, 110, 0, 0>>, <<131, 110, 8, 1, 0, 0, 0, 0, 0, 0, 0, 16#10>>]] end},
     {decode_list_empty_tail, fun() -> [binary_to_term(<<131, 108, 0, 0, 0, 0, 106>>), binary_to_term(<<131, 108, 0, 0, 0, 1, 97, 1, 97, 2>>)] end},
     {decode_large_tuple_tag, fun() -> binary_to_term(<<131, 105, 0, 0, 0, 2, 97, 1, 97, 2>>) end},
     {decode_map_dup, fun() -> br(<<131, 116, 0, 0, 0, 2, 97, 1, 97, 1, 97, 1, 97, 2>>) end},
     {decode_ext_fun, fun() -> binary_to_term(<<131, 113, 119, 5, "lists", 119, 3, "map", 97, 2>>) end},
     {used, fun() -> [binary_to_term(<<(term_to_binary({a, 1}))/binary, "rest">>, [used]), c(fun() -> binary_to_term(<<131, 97>>, [used]) end)] end},
     {trailing_bytes, fun() -> br(<<(term_to_binary(a))/binary, 1, 2>>) end},
     {safe_ok, fun() -> binary_to_term(term_to_binary({ok, [lists, 1]}), [safe]) end},
     {safe_new_atom, fun() -> c(fun() -> binary_to_term(<<131, 119, 14, "nevernever", "atm1">>, [safe]) end) end},
     {safe_new_fun, fun() -> cr(fun() -> binary_to_term(<<131, 113, 119, 5, "lists", 119, 3, "map", 97, 77>>, [safe]) end) end},
     {bad_basic, fun() -> [bad(B) || B <- [<<>>, <<131>>, <<130, 97, 1>>, <<131, 255>>, <<131, 97>>, <<131, 98, 0, 0>>, a, <<131:7>>, [1]]] end},
     {bad_truncated_all, fun() -> B = term_to_binary([1, 2.5, abc, "str", {x, <<"bin">>}, #{k => 1 bsl 80}, <<1:3>>, fun lists:map/2]), lists:usort([br(binary:part(B, 0, N)) || N <- lists:seq(0, byte_size(B) - 1)]) end},
     {bad_counts, fun() -> [br(B) || B <- [<<131, 108, 255, 255, 255, 255, 97, 1>>, <<131, 105, 255, 255, 255, 255>>, <<131, 116, 255, 255, 255, 255>>, <<131, 109, 255, 255, 255, 255, 1>>, <<131, 107, 255, 255, 1>>, <<131, 111, 255, 255, 255, 255, 0, 1>>, <<131, 77, 0, 0, 0, 9, 3, 1>>, <<131, 104, 200>>]] end},
     {bad_bits, fun() -> [br(B) || B <- [<<131, 77, 0, 0, 0, 1, 0, 1>>, <<131, 77, 0, 0, 0, 1, 9, 1>>, <<131, 77, 0, 0, 0, 0, 3>>, <<131, 77, 0, 0, 0, 1, 8, 1>>, <<131, 77, 0, 0, 0, 1, 3, 255>>]] end},
     {bad_floats, fun() -> [br(B) || B <- [<<131, 70, 16#7FF0000000000000:64>>, <<131, 70, 16#7FF8000000000000:64>>, <<131, 99, "abc", 0:224>>]] end},
     {bad_atoms, fun() -> [br(B) || B <- [<<131, 119, 1, 255>>, <<131, 119, 2, 195, 40>>, <<131, 118, 1, 0, (binary:copy(<<"a">>, 256))/binary>>, <<131, 100, 1, 0, (binary:copy(<<"a">>, 256))/binary>>, <<131, 119, 5, "abc">>]] end},
     {bad_compressed, fun() -> [br(B) || B <- [<<131, 80, 0, 0, 0, 10, 1, 2, 3>>, <<131, 80, 0, 0, 0, 2, (zlib:compress(<<97, 1>>))/binary>>, <<131, 80, 0, 0, 0, 5, (zlib:compress(<<97, 1>>))/binary>>, <<131, 80, 0, 0, 0, 1, (zlib:compress(<<97, 1>>))/binary>>, <<131, 80, 255, 255, 255, 255, (zlib:compress(<<97, 1>>))/binary>>]] end},
     {fun_numbers, fun() -> F = fun(I, U) -> <<131, 112, 70:32, 0, (erlang:phash2({I, U})):128, 0:32, 2:32, 119, 1, "t", I/binary, U/binary, 88, 119, 13, "nonode@nohost", 48:32, 0:32, 0:32, 97, 42, 97, 7>> end, [c(fun() -> element(2, erlang:fun_info(binary_to_term(F(I, U)), uniq)) end) || {I, U} <- [{<<97, 0>>, N} || N <- [<<97, 5>>, <<98, 255, 255, 255, 255>>, <<98, 127, 255, 255, 255>>, <<110, 8, 0, 255, 255, 255, 255, 255, 255, 255, 127>>, <<104, 0>>, <<119, 1, "a">>]] ++ [{N, <<97, 0>>} || N <- [<<98, 255, 255, 255, 255>>, <<110, 8, 0, 255, 255, 255, 255, 255, 255, 255, 127>>, <<104, 0>>]]] end},
     {bad_funs, fun() -> [br(B) || B <- [<<131, 112, 0, 0, 0, 20, 1>>, <<131, 113, 97, 1, 97, 2, 97, 3>>, <<131, 113, 119, 1, "a", 119, 1, "b", 98, 255, 255, 255, 255>>]] end},
     {bad_pids, fun() -> [br(B) || B <- [<<131, 88, 97, 1, 0:96>>, <<131, 103, 119, 1, "a">>, <<131, 90, 0, 9, 119, 3, "a@b", 0:32, 0:320>>, <<131, 88, 119, 3, "a@b", 0:32>>]] end},
     {bit_flips, fun() -> B = term_to_binary([1, 2.5, abc, "str", {x, <<"bin">>}, #{k => 1 bsl 80}, <<1:3>>]), R = [flip(B, N) || N <- lists:seq(8, bit_size(B) - 1)], {length([ok || ok <- R]), length([badarg || badarg <- R]), [X || X <- R, X =/= ok, X =/= badarg]} end},
     {deep_nesting, fun() -> T = lists:foldl(fun(_, A) -> [A] end, [], lists:seq(1, 100000)), rt(T) =:= T end},
     {deep_tuple, fun() -> T = lists:foldl(fun(_, A) -> {A} end, x, lists:seq(1, 100000)), byte_size(term_to_binary(T)) end},
     {big_list, heavy, fun() -> L = [{I, integer_to_binary(I), [I]} || I <- lists:seq(1, 50000)], B = term_to_binary(L), {byte_size(B), erlang:md5(B), binary_to_term(B) =:= L} end},
     {to_iovec, fun() -> T = {a, binary:copy(<<"q">>, 5000), [b]}, iolist_to_binary(erlang:term_to_iovec(T)) =:= term_to_binary(T) end},
     {sub_binary, fun() -> <<_:3/binary, S:5/binary, _/binary>> = id(<<"0123456789">>), <<_:3, U:20/bits, _/bits>> = id(<<"0123456789">>), [term_to_binary(S), term_to_binary(U)] end},
     {shared_terms, fun() -> X = lists:seq(1, 10), rt([X, X, X]) end},
     {record_like, fun() -> rt({state, [{k, v}], #{a => {b, c}}, <<"x">>, 1.25, -7}) end},
     {map_large, fun() -> M = maps:from_list([{I, I * 2} || I <- lists:seq(1, 500)]), {rt(M) =:= M, byte_size(term_to_binary(M))} end},
     {dist_header_refused, fun() -> br(<<131, 68, 0, 97, 1>>) end},
     {atom_cache_ref_refused, fun() -> br(<<131, 82, 0>>) end}].

flip(B, N) ->
    <<A:N/bits, X:1, C/bits>> = B,
    try binary_to_term(<<A/bits, (1 - X):1, C/bits>>) of
        _ -> ok
    catch
        error:R -> R
    end.
