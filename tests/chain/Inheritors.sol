// SPDX-License-Identifier: MIT
// What OpenZeppelin's package holds as abstract contracts only, made whole for tests.
pragma solidity ^0.8.24;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {AccessControlEnumerable} from "@openzeppelin/contracts/access/extensions/AccessControlEnumerable.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

contract Registry is Ownable2Step {
    constructor(address owner) Ownable(owner) {}
}

contract Listed is AccessControlEnumerable {
    constructor(address admin) {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }
}

contract Unlisted is AccessControl {
    constructor(address admin) {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }
}

contract Logic is UUPSUpgradeable {
    function version() external pure virtual returns (uint256) {
        return 1;
    }

    function _authorizeUpgrade(address) internal override {}
}

contract OtherLogic is Logic {
    function version() external pure override returns (uint256) {
        return 2;
    }
}

contract Cloner {
    event Cloned(address indexed clone);

    function clone(address logic) external {
        emit Cloned(Clones.clone(logic));
    }
}

contract Switch is Pausable {
    function pull() external {
        _pause();
    }
}

contract Wallet is Ownable, IERC1271 {
    constructor(address owner) Ownable(owner) {}

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        bool valid = SignatureChecker.isValidSignatureNow(owner(), hash, signature);
        return valid ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}
